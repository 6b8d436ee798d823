//! `ftcheck why`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use ftcheck::model::nearest::nearest;
use ftcheck::pipeline::{self, Scene, Settings};
use ftcheck::report;
use ftcheck::resolve::graph::Graph;
use pep508_rs::PackageName;

use crate::args::WhyArguments;
use crate::configuration::configuration;
use crate::options::{ScanOptions, choice};
use crate::output::{print, say};
use crate::progress::Bar;
use crate::project::Project;

use crate::session::Session;
use crate::{FOUND, Failure};

pub(crate) fn run(arguments: WhyArguments) -> Result<ExitCode, Failure> {
    let package: PackageName = arguments.package.parse().map_err(|_| {
        Failure::new(format!("expected the name of a package, found `{}`", arguments.package))
    })?;
    let first = arguments.project.paths.first().map(PathBuf::as_path);
    let configured = configuration(&arguments.resolution.configuration, first)?;
    let choice = choice(&arguments.project.sections, &configured);
    let mut options = ScanOptions::new(arguments.resolution, choice, &configured)?;
    let mut project =
        Project::read(&arguments.project, &options.settings, options.network.limits.nesting)?;
    let session = Session::new(options.network, &mut project)?;
    options.settings.prereleases = options.settings.prereleases.or(session.prereleases);
    let Settings { scenes, .. } = &options.settings;
    let bar = Bar::new(options.progress, &session.client);
    let mut text = String::new();
    let mut found = false;
    let mut near = BTreeSet::new();
    let mut gaps = Vec::new();
    for scene in scenes {
        let plan = session
            .runtime
            .block_on(pipeline::plan_for(
                &project.manifests,
                &options.settings,
                scene,
                &session.index,
            ))
            .map_err(|problem| Failure::new(problem.to_string()))?;
        gaps.extend(plan.gaps);
        if scenes.len() > 1 {
            let _ = writeln!(text, "{}", scene.place);
        }
        found |= add(&mut text, &plan.graph, package.as_ref(), scene);
        let names = plan.graph.nodes.iter().map(|node| node.name.as_str());
        let others = names.filter(|name| *name != package.as_ref());
        near.extend(nearest(package.as_ref(), others).map(report::printable));
    }
    bar.clear();
    for gap in &gaps {
        say(&format!("not covered: {}", report::printable(gap)));
    }
    print(text.as_bytes())?;
    if !found && !near.is_empty() {
        let near: Vec<_> = near.iter().map(|name| format!("`{name}`")).collect();
        say(&format!("hint: did you mean {}?", near.join(" or ")));
    }
    Ok(if found { ExitCode::SUCCESS } else { ExitCode::from(FOUND) })
}

/// The trees of what the user named, cut down to what leads to the package.
fn add(text: &mut String, graph: &Graph, package: &str, scene: &Scene) -> bool {
    let leads = graph.leading_to(|node| node.name == package);
    let mut roots: Vec<usize> = (0..graph.nodes.len())
        .filter(|index| leads[*index] && graph.nodes[*index].direct.is_some())
        .collect();
    roots.sort_by_key(|index| &graph.nodes[*index].name);
    if roots.is_empty() {
        let _ = writeln!(text, "{package} is not installed for {}", scene.place);
        return false;
    }
    let mut seen = BTreeSet::new();
    for root in roots {
        text.push_str(&tree(graph, root, &leads, &mut seen).to_string());
    }
    true
}

/// What stands behind a package, as far as it leads on. What was shown before is not shown again.
fn tree(
    graph: &Graph,
    index: usize,
    leads: &[bool],
    seen: &mut BTreeSet<usize>,
) -> termtree::Tree<String> {
    let node = &graph.nodes[index];
    let mut label = report::printable(&node.name);
    if let Some(version) = &node.version {
        label.push(' ');
        label.push_str(&report::printable(version));
    }
    if let Some(location) = &node.direct {
        let _ = write!(label, " ({})", report::printable(&location.to_string()));
    }
    let mut next: Vec<usize> =
        node.requires.iter().copied().filter(|index| leads[*index]).collect();
    next.sort_by_key(|index| &graph.nodes[*index].name);
    if !seen.insert(index) && !next.is_empty() {
        label.push_str(" (*)");
        return termtree::Tree::new(label);
    }
    let leaves: Vec<_> = next.into_iter().map(|index| tree(graph, index, leads, seen)).collect();
    termtree::Tree::new(label).with_leaves(leaves)
}
