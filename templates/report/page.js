"use strict";
// What the page does beyond being read: it filters, sorts, follows chains and changes its theme.
// All it works with stands in the page already, put there as text.
(() => {
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const one = (id) => document.getElementById(id);

  // The theme: the system's, or one of the two.
  const theme = one("theme");
  const themes = ["system", "light", "dark"];
  let chosen = 0;
  theme.hidden = false;
  theme.addEventListener("click", () => {
    chosen = (chosen + 1) % themes.length;
    const name = themes[chosen];
    theme.textContent = `Theme: ${name}`;
    if (chosen === 0) delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
  });
  all(".script").forEach((element) => { element.hidden = false; });

  // The filter: for findings, packages and graphs alike.
  const form = one("filter");
  const text = one("f-text");
  const verdict = one("f-verdict");
  const level = one("f-level");
  const place = one("f-place");
  const items = all(".item");
  const rows = all("tbody > tr.item");
  const totals = all("[data-choose]");
  const has = (list, word) => (list || "").split(" ").includes(word);

  const filter = () => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shownRows = 0;
    let shownFindings = 0;
    for (const item of items) {
      const data = item.dataset;
      const shown = words.every((word) => data.search.includes(word))
        && (!verdict.value || data.verdict === verdict.value)
        && (!level?.value || has(data.level, level.value))
        && (!place?.value || has(data.places, place.value));
      item.hidden = !shown;
      if (shown && item.localName === "tr") shownRows += 1;
      else if (shown) shownFindings += 1;
    }
    for (const group of all(".level")) {
      group.hidden = !group.querySelector(".item:not([hidden])");
    }
    for (const graph of all(".graph")) {
      graph.hidden = Boolean(place?.value) && !has(graph.dataset.places, place.value);
    }
    for (const total of totals) {
      total.setAttribute("aria-pressed", String(total.dataset.choose === verdict.value));
    }
    if (one("nothing")) one("nothing").hidden = shownRows > 0;
    const findings = items.length - rows.length;
    one("f-count").textContent = `${shownRows} of ${rows.length} packages`
      + (findings ? `, ${shownFindings} of ${findings} findings` : "");
  };
  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  for (const total of totals) {
    total.setAttribute("role", "button");
    const choose = (event) => {
      event.preventDefault();
      const value = total.dataset.choose;
      verdict.value = verdict.value === value ? "" : value;
      filter();
      if (verdict.value) one("packages").scrollIntoView();
    };
    if (!all("option", verdict).some((option) => option.value === total.dataset.choose)) {
      total.removeAttribute("href");
      total.setAttribute("aria-disabled", "true");
      continue;
    }
    total.addEventListener("click", choose);
    total.addEventListener("keydown", (event) => { if (event.key === " ") choose(event); });
  }

  // Sorting. What is equal stays in the order in which it was.
  for (const head of all("th[data-sort]")) {
    const key = head.dataset.sort;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const falling = head.getAttribute("aria-sort") === "ascending";
      for (const other of all("th[aria-sort]")) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", falling ? "descending" : "ascending");
      const body = rows[0].parentNode;
      const order = (a, b) => {
        const [x, y] = [a.dataset[key], b.dataset[key]];
        const found = key === "name" ? (x < y ? -1 : Number(x > y)) : x - y;
        return falling ? -found : found;
      };
      body.append(...[...body.children].sort(order));
    });
  }

  // Chains. A graph is one stop on the way of the Tab key; arrows move inside.
  const leave = (figure) => {
    figure.classList.remove("following");
    for (const element of all(".on", figure)) element.classList.remove("on");
    for (const node of all(".node", figure)) node.setAttribute("aria-pressed", "false");
    figure.querySelector(".chain").replaceChildren();
  };
  const reveal = (element) => {
    for (let at = element.parentElement; at; at = at.parentElement) {
      if (at.localName === "details") at.open = true;
    }
  };
  const follow = (node) => {
    const figure = node.closest(".drawing");
    leave(figure);
    const chain = node.dataset.chain.split(" ");
    figure.classList.add("following");
    figure.dataset.tone = node.classList.item(1);
    node.setAttribute("aria-pressed", "true");
    for (const id of chain) one(id)?.classList.add("on");
    for (const edge of all(".edges path", figure)) {
      const at = chain.indexOf(edge.dataset.from);
      if (at >= 0 && chain[at + 1] === edge.dataset.to) {
        edge.classList.add("on");
        edge.parentNode.append(edge);
      }
    }
    const status = figure.querySelector(".chain");
    const names = chain.map((id) => one(id)?.querySelector("text").textContent);
    const name = document.createElement("b");
    name.textContent = names.join(" → ");
    const label = one(node.id).getAttribute("aria-label");
    const word = label.slice(label.indexOf(":"));
    const link = document.createElement("a");
    link.href = node.getAttribute("href");
    link.textContent = "Show in the table";
    status.append(name, word, ". ", link);
  };
  const select = (node, nodes) => {
    for (const other of nodes) other.setAttribute("tabindex", other === node ? "0" : "-1");
    node.focus({ preventScroll: true });
    node.scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  for (const figure of all(".drawing")) {
    const nodes = all(".node", figure);
    const middle = (node) => {
      const box = node.getBoundingClientRect();
      return box.top + box.height / 2;
    };
    // The nearest that it requires or that requires it; without any, the nearest beside it.
    const beside = (node, step) => {
      const layer = Number(node.dataset.layer);
      const edges = all(".edges path", figure);
      const [near, far] = step > 0 ? ["from", "to"] : ["to", "from"];
      const joined = edges.filter((edge) => edge.dataset[near] === node.id)
        .map((edge) => one(edge.dataset[far]));
      const there = joined.length ? joined
        : nodes.filter((other) => Number(other.dataset.layer) === layer + step);
      const away = (other) => 10000 * Math.abs(Number(other.dataset.layer) - layer)
        + Math.abs(middle(other) - middle(node));
      return there.sort((a, b) => away(a) - away(b))[0];
    };
    // The next one in the same layer.
    const below = (node, step) => {
      const layer = nodes.filter((other) => other.dataset.layer === node.dataset.layer)
        .sort((a, b) => middle(a) - middle(b));
      return layer[layer.indexOf(node) + step];
    };
    nodes.forEach((node, index) => {
      node.setAttribute("role", "button");
      node.setAttribute("aria-pressed", "false");
      node.setAttribute("tabindex", index === 0 ? "0" : "-1");
      node.addEventListener("click", (event) => {
        event.preventDefault();
        select(node, nodes);
        if (node.getAttribute("aria-pressed") === "true") leave(figure);
        else follow(node);
      });
      node.addEventListener("keydown", (event) => {
        const next = {
          ArrowRight: () => beside(node, 1),
          ArrowLeft: () => beside(node, -1),
          ArrowDown: () => below(node, 1),
          ArrowUp: () => below(node, -1),
          Home: () => nodes[0],
          End: () => nodes[nodes.length - 1],
        }[event.key];
        if (next) {
          event.preventDefault();
          const to = next();
          if (to) select(to, nodes);
        } else if (event.key === " ") {
          event.preventDefault();
          node.dispatchEvent(new MouseEvent("click", { cancelable: true, bubbles: true }));
        } else if (event.key === "Escape") {
          leave(figure);
        }
      });
    });
  }

  // Links to a row or a node show it, whatever was filtered or folded.
  const go = (id) => {
    const target = one(id);
    if (!target) return false;
    if (target.classList.contains("node")) {
      const graph = target.closest(".graph");
      if (graph.hidden) { form.reset(); graph.hidden = false; }
      reveal(target);
      select(target, all(".node", target.closest(".drawing")));
      follow(target);
      return true;
    }
    if (target.hidden) {
      form.reset();
      filter();
    }
    reveal(target);
    return false;
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='#']");
    if (!link || event.defaultPrevented || link.classList.contains("node")) return;
    const id = link.getAttribute("href").slice(1);
    if (go(id)) event.preventDefault();
    else if (one(id)?.localName === "tr") {
      setTimeout(() => one(id).focus({ preventScroll: true }));
    }
  });
  document.addEventListener("keydown", (event) => {
    const typing = /^(input|select|textarea)$/.test(event.target.localName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      text.focus();
    } else if (event.key === "Escape" && event.target === text) {
      text.value = "";
      filter();
    }
  });
  addEventListener("beforeprint", () => {
    for (const group of all("details.level")) group.open = true;
  });

  filter();
  if (location.hash) go(location.hash.slice(1));
})();
