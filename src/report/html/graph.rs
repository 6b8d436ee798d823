//! The dependency graph of one place, or of several where it is the same, made ready to be drawn.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

use super::findings::numbers;
use super::layout::{NODE_HEIGHT, layout};
use super::rows::Row;
use crate::model::report::{PackageReport, Place, ScanReport, Severity, Verdict};
use crate::report::foreign::shortened;
use crate::report::merged::labels;
use crate::report::outcome::words;
use crate::report::text::printable;

/// A graph of up to this many packages is shown as it is; of a larger one, what leads to what is
/// not in order comes first and the whole is folded.
const SMALL: usize = 40;
/// Nodes and edges that are drawn at most: nobody reads more, and the page stays light.
const MOST_NODES: usize = 1_500;
const MOST_EDGES: usize = 8_000;
/// Characters of a label, and the width of one in the font of labels.
const LONGEST_LABEL: usize = 34;
const LETTER_WIDTH: u32 = 7;
/// What stands before and behind the label: the icon, and room.
const LABEL_LEFT: f64 = 26.0;
const LABEL_RIGHT: f64 = 12.0;

/// All drawings for the same places.
pub(super) struct GraphView {
    /// The places, where they are not all.
    pub(super) labels: Option<String>,
    /// The numbers of the places, as filters have them.
    pub(super) places: String,
    /// What leads to what is not in order, or all.
    pub(super) first: Option<Drawing>,
    /// All, where that is more.
    pub(super) rest: Option<Drawing>,
    /// Packages that nobody would find in a drawing of so many.
    pub(super) left_out: usize,
}

/// One drawing.
pub(super) struct Drawing {
    pub(super) title: String,
    pub(super) width: String,
    pub(super) height: String,
    pub(super) nodes: Vec<NodeView>,
    pub(super) edges: Vec<EdgeView>,
    /// Requirements beyond what is drawn.
    pub(super) left_out: usize,
}

/// One package of it.
pub(super) struct NodeView {
    pub(super) id: String,
    /// The row of the table that tells of it.
    pub(super) row: String,
    pub(super) class: &'static str,
    pub(super) icon: &'static str,
    pub(super) label: String,
    pub(super) full: String,
    pub(super) is_direct: bool,
    /// The nodes of the chain to it, itself last.
    pub(super) chain: String,
    pub(super) layer: usize,
    pub(super) x: String,
    pub(super) y: String,
    pub(super) width: String,
}

/// One requirement of it.
pub(super) struct EdgeView {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) path: String,
}

/// A package by its name, as the graph knows them.
struct Node<'r> {
    package: &'r PackageReport,
    row: usize,
}

struct Graph<'r> {
    nodes: Vec<Node<'r>>,
    edges: Vec<(usize, usize)>,
    number: HashMap<&'r str, usize>,
}

/// The graphs of a report, one for each set of places that share theirs.
pub(super) fn graphs(report: &ScanReport, rows: &[Row<'_>]) -> Vec<GraphView> {
    let mut row_of: HashMap<(&str, Option<&str>, Place), usize> = HashMap::new();
    for (number, row) in rows.iter().enumerate() {
        for place in &row.places {
            let package = row.package;
            row_of.insert((&package.name, package.version.as_deref(), *place), number);
        }
    }
    let mut found: Vec<(Vec<Place>, Graph<'_>)> = Vec::new();
    let all: Vec<Place> = report.places().collect();
    for place in &all {
        let graph = Graph::of(report, *place, &row_of);
        match found.iter_mut().find(|(_, other)| other.is_same(&graph)) {
            Some((places, _)) => places.push(*place),
            None => found.push((vec![*place], graph)),
        }
    }
    found.retain(|(_, graph)| !graph.nodes.is_empty());
    let views = found.into_iter().enumerate();
    views.map(|(id, (places, graph))| view(id, &places, &all, &graph, report)).collect()
}

impl<'r> Graph<'r> {
    fn of(
        report: &'r ScanReport,
        place: Place,
        row_of: &HashMap<(&str, Option<&str>, Place), usize>,
    ) -> Self {
        let mut graph = Self { nodes: Vec::new(), edges: Vec::new(), number: HashMap::new() };
        for package in report.packages.iter().filter(|package| package.place() == place) {
            let key = (package.name.as_str(), package.version.as_deref(), place);
            let node = Node { package, row: row_of.get(&key).copied().unwrap_or(0) };
            match graph.number.get(package.name.as_str()).copied() {
                None => {
                    graph.number.insert(&package.name, graph.nodes.len());
                    graph.nodes.push(node);
                }
                // Of several releases of one package the worst stands for all.
                Some(number) => {
                    if let Some(other) = graph.nodes.get_mut(number)
                        && package.verdict < other.package.verdict
                    {
                        *other = node;
                    }
                }
            }
        }
        let mut edges: BTreeSet<(usize, usize)> = BTreeSet::new();
        for package in report.packages.iter().filter(|package| package.place() == place) {
            let number = |name: &String| graph.number.get(name.as_str()).copied();
            if let Some(from) = number(&package.name) {
                edges.extend(package.requires.iter().filter_map(number).map(|to| (from, to)));
            }
            let steps: Vec<Option<usize>> =
                package.via.iter().map(|step| number(&step.name)).collect();
            for pair in steps.windows(2) {
                if let [Some(from), Some(to)] = pair {
                    edges.insert((*from, *to));
                }
            }
        }
        graph.edges = edges.into_iter().filter(|(from, to)| from != to).collect();
        graph
    }

    fn is_same(&self, other: &Self) -> bool {
        let key = |node: &Node<'r>| {
            let package = node.package;
            (&package.name, &package.version, package.verdict, &package.via)
        };
        self.edges == other.edges
            && self.nodes.len() == other.nodes.len()
            && self.nodes.iter().zip(&other.nodes).all(|(one, two)| key(one) == key(two))
    }

    /// What is not in order, and all that leads there.
    fn leading(&self) -> BTreeSet<usize> {
        let mut before: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for (from, to) in &self.edges {
            if let Some(list) = before.get_mut(*to) {
                list.push(*from);
            }
        }
        let off = |node: &Node<'_>| node.package.verdict.severity() != Severity::Fine;
        let nodes = self.nodes.iter().enumerate();
        let mut open: Vec<usize> =
            nodes.filter(|(_, node)| off(node)).map(|(number, _)| number).collect();
        let mut leading = BTreeSet::new();
        while let Some(number) = open.pop() {
            if leading.insert(number) {
                open.extend(before.get(number).into_iter().flatten());
            }
        }
        leading
    }

    /// The chain that the report tells of, as numbers.
    fn chain(&self, node: &Node<'_>) -> Vec<usize> {
        let steps = node.package.via.iter();
        steps.filter_map(|step| self.number.get(step.name.as_str()).copied()).collect()
    }
}

fn view(
    id: usize,
    places: &[Place],
    all: &[Place],
    graph: &Graph<'_>,
    report: &ScanReport,
) -> GraphView {
    let count = graph.nodes.len();
    let leading = graph.leading();
    let everything: BTreeSet<usize> = (0..count).collect();
    // Where not even that can be drawn, the worst are worth most.
    let mut kept: Vec<usize> = leading.iter().copied().collect();
    kept.sort_by_key(|number| graph.nodes.get(*number).map(|node| node.package.verdict));
    let left_out = kept.len().saturating_sub(MOST_NODES);
    kept.truncate(MOST_NODES);
    let leading: BTreeSet<usize> = kept.into_iter().collect();
    let of = |count: usize| {
        if count == 1 { "1 package".to_owned() } else { format!("{count} packages") }
    };
    let whole = |name: &str| drawing(graph, &everything, &format!("{id}{name}"), of(count));
    let (first, rest, left_out) = if count <= SMALL || leading.len() == count {
        (Some(whole("a")), None, 0)
    } else {
        let title = format!("{} of {} that lead to what is not in order", leading.len(), of(count));
        let part = drawing(graph, &leading, &format!("{id}a"), title);
        let too_many = count > MOST_NODES;
        (
            (!leading.is_empty()).then_some(part),
            (!too_many).then(|| whole("b")),
            if too_many { count - leading.len() } else { left_out },
        )
    };
    GraphView {
        labels: labels(places, report),
        places: numbers(places, all),
        first,
        rest,
        left_out,
    }
}

fn drawing(graph: &Graph<'_>, shown: &BTreeSet<usize>, id: &str, title: String) -> Drawing {
    let numbers: Vec<usize> = shown.iter().copied().collect();
    let position: HashMap<usize, usize> =
        numbers.iter().enumerate().map(|(at, number)| (*number, at)).collect();
    let mut edges: Vec<(usize, usize)> = graph
        .edges
        .iter()
        .filter_map(|(from, to)| Some((*position.get(from)?, *position.get(to)?)))
        .collect();
    let left_out = edges.len().saturating_sub(MOST_EDGES);
    edges.truncate(MOST_EDGES);
    let node_id = |at: usize| format!("g{id}-{at}");
    let shown_nodes: Vec<&Node<'_>> =
        numbers.iter().filter_map(|number| graph.nodes.get(*number)).collect();
    let labels: Vec<String> = shown_nodes.iter().map(|node| label(node.package)).collect();
    let widths: Vec<f64> = labels.iter().map(|label| width(label)).collect();
    let drawn = layout(&widths, &edges);
    let mut nodes = Vec::with_capacity(numbers.len());
    for (at, node) in shown_nodes.iter().enumerate() {
        let package = node.package;
        let place = drawn.nodes.get(at).copied().unwrap_or_default();
        let chain: Vec<String> = graph
            .chain(node)
            .iter()
            .filter_map(|number| position.get(number))
            .map(|at| node_id(*at))
            .collect();
        nodes.push(NodeView {
            id: node_id(at),
            row: format!("p{}", node.row),
            class: class(package.verdict),
            icon: package.verdict.as_str(),
            label: labels.get(at).cloned().unwrap_or_default(),
            full: format!("{}: {}", full_name(package), words(package.verdict)),
            is_direct: package.via.len() == 1,
            chain: if chain.is_empty() { node_id(at) } else { chain.join(" ") },
            layer: place.layer,
            x: number(place.x),
            y: number(place.y - NODE_HEIGHT / 2.0),
            width: number(widths.get(at).copied().unwrap_or(0.0)),
        });
    }
    let edges = edges
        .iter()
        .zip(&drawn.edges)
        .filter(|(_, points)| !points.is_empty())
        .map(|((from, to), points)| EdgeView {
            from: node_id(*from),
            to: node_id(*to),
            path: curve(points),
        })
        .collect();
    Drawing {
        title,
        width: number(drawn.width),
        height: number(drawn.height),
        nodes,
        edges,
        left_out,
    }
}

fn full_name(package: &PackageReport) -> String {
    let version = package.version.as_deref().map(|version| format!(" {}", printable(version)));
    format!("{}{}", printable(&package.name), version.unwrap_or_default())
}

fn label(package: &PackageReport) -> String {
    shortened(&full_name(package), LONGEST_LABEL)
}

/// How a package is coloured, by what it means for the run; the icon tells the verdict.
pub(super) fn class(verdict: Verdict) -> &'static str {
    match verdict.severity() {
        Severity::Finding if verdict == Verdict::EnablesGil => "bad",
        Severity::Finding => "blocked",
        Severity::NotKnown => "unknown",
        Severity::Fine => "fine",
    }
}

fn width(label: &str) -> f64 {
    let letters = u32::try_from(textwrap::core::display_width(label)).unwrap_or(0);
    f64::from(letters.saturating_mul(LETTER_WIDTH)) + LABEL_LEFT + LABEL_RIGHT
}

fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// A path through the points: level inside layers, bent between them.
fn curve(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    let mut last: Option<(f64, f64)> = None;
    for (at, (x, y)) in points.iter().enumerate() {
        match last {
            None => {
                let _ = write!(path, "M{} {}", number(*x), number(*y));
            }
            // Every other stretch lies between layers.
            Some((from_x, from_y)) if at % 2 == 1 => {
                let middle = number(f64::midpoint(from_x, *x));
                let (from_y, y, x) = (number(from_y), number(*y), number(*x));
                let _ = write!(path, "C{middle} {from_y} {middle} {y} {x} {y}");
            }
            Some(_) => {
                let _ = write!(path, "H{}", number(*x));
            }
        }
        last = Some((*x, *y));
    }
    path
}
