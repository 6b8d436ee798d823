//! What is typed for each tool. The forms were tried with the tools themselves: uv 0.13.9, poetry
//! 2.5.1, pdm 2.26.2, Pipenv 2026.10.3 and pip-tools 7.

use std::fmt::Write as _;
use std::path::Path;

use ftcheck::advise::command::{self, Told, Wish};
use ftcheck::input::{self, Content, FORMATS, Source};
use ftcheck::model::advice::{Manager, Tool};
use ftcheck::model::requirement::{GroupName, Requirement, Section};

const TOOLS: [Tool; 12] = [
    Tool::Uv,
    Tool::UvScript,
    Tool::UvPip,
    Tool::Poetry,
    Tool::Pdm,
    Tool::Pip,
    Tool::PipTools,
    Tool::Pipenv,
    Tool::Pylock,
    Tool::Pixi,
    Tool::Conda,
    Tool::Environment,
];

fn requirement(text: &str) -> Requirement {
    let format = FORMATS.iter().find(|format| format.recognises("requirements.txt")).unwrap();
    let source = Source::of_text(Path::new("requirements.in"), "requirements.in", text.to_owned());
    match format.read(&source).unwrap().content {
        Content::Requirements(all) => all.required.into_iter().next().unwrap(),
        Content::Lock(_) => panic!("a lock"),
    }
}

fn wish(text: &str) -> Wish {
    Wish::AtLeast(text.parse().unwrap())
}

fn shown(told: &Told) -> String {
    match (&told.command, &told.remark) {
        (Some(command), Some(remark)) => format!("$ {command} ({remark})"),
        (Some(command), None) => format!("$ {command}"),
        (None, remark) => remark.clone().unwrap_or_default(),
    }
}

#[test]
fn commands_of_every_tool() {
    let own = requirement("tool[fast]==1.0 ; sys_platform != 'win32'");
    let in_group =
        Requirement { section: Section::Group(GroupName::new("dev")), ..requirement("tool") };
    let in_extra =
        Requirement { section: Section::Extra("gpu".parse().unwrap()), ..requirement("tool") };
    let name = own.name.clone();
    let mut text = String::new();
    for tool in TOOLS {
        let file = match tool {
            Tool::UvScript => "my app.py",
            Tool::Environment => ".venv",
            _ => "requirements.txt",
        };
        let manager = Manager { tool, file: file.to_owned(), written_by: Vec::new() };
        let exactly = Wish::Exactly("1.2".parse().unwrap());
        let url = "https://files.example/tool-1.0-py3-none-any.whl";
        let _ = writeln!(text, "{tool:?}");
        for (what, told) in [
            ("take", command::take(&manager, &name, &[], &wish("1.2"))),
            ("take exactly", command::take(&manager, &name, &[], &exactly)),
            ("take with", command::take(&manager, &name, &["app"], &wish("1.2"))),
            ("ask", command::ask(&manager, &own, &wish("1.2"))),
            ("ask in a group", command::ask(&manager, &in_group, &wish("1.2"))),
            ("ask in an extra", command::ask(&manager, &in_extra, &wish("1.2"))),
            ("file", command::take_file(&manager, &name, Some(&own), url)),
            ("build", command::build(&manager, &name)),
        ] {
            let _ = writeln!(text, "  {what}: {}", shown(&told));
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_line_with_digests_needs_them_anew() {
    let hash = "0".repeat(64);
    let own = requirement(&format!("tool==1.0 --hash=sha256:{hash}"));
    let manager =
        Manager { tool: Tool::Pip, file: "requirements.txt".to_owned(), written_by: Vec::new() };
    let told = command::ask(&manager, &own, &wish("1.2"));
    assert_eq!(
        told.remark.unwrap(),
        "requirements.in:1 becomes `tool>=1.2`, with the digests of its files anew"
    );
}

fn manager_of(filename: &str, text: &str) -> Manager {
    let format = FORMATS.iter().find(|format| format.recognises(filename)).unwrap();
    let source = Source::of_text(Path::new(filename), filename, text.to_owned());
    input::manager(*format, &source)
}

#[test]
fn the_tool_follows_from_the_file() {
    let tool = |filename: &str, text: &str| manager_of(filename, text).tool;
    assert_eq!(tool("uv.lock", ""), Tool::Uv);
    assert_eq!(tool("poetry.lock", ""), Tool::Poetry);
    assert_eq!(tool("pdm.lock", ""), Tool::Pdm);
    assert_eq!(tool("pylock.toml", ""), Tool::Pylock);
    assert_eq!(tool("Pipfile.lock", ""), Tool::Pipenv);
    assert_eq!(tool("pixi.lock", ""), Tool::Pixi);
    assert_eq!(tool("conda-lock.yml", ""), Tool::Conda);
    assert_eq!(tool("environment.yml", ""), Tool::Conda);
    assert_eq!(tool("requirements-dev.txt", "tool\n"), Tool::Pip);
    assert_eq!(tool("app.py", ""), Tool::UvScript);
    assert_eq!(tool("pyproject.toml", "[project]\ndependencies = []\n"), Tool::Uv);
    assert_eq!(tool("pyproject.toml", "[tool.poetry.dependencies]\ntool = \"*\"\n"), Tool::Poetry);
    let pdm = "[project]\ndependencies = []\n[tool.pdm]\ndistribution = false\n";
    assert_eq!(tool("pyproject.toml", pdm), Tool::Pdm);
    // Not even TOML: told where it is read.
    assert_eq!(tool("pyproject.toml", "]"), Tool::Uv);
    let script = manager_of("app.py.lock", "");
    assert_eq!((script.tool, script.file.as_str()), (Tool::UvScript, "app.py"));
}

#[test]
fn the_command_at_the_head_of_a_compiled_file_is_quoted_anew() {
    let text = "# This file was autogenerated by uv via the following command:\n\
                #    uv pip compile 'my requirements.in' -o requirements.txt; rm -rf .\ntool==1.0\n";
    let manager = manager_of("requirements.txt", text);
    assert_eq!(manager.tool, Tool::UvPip);
    let told = command::take(&manager, &"tool".parse().unwrap(), &[], &wish("1.2"));
    assert_eq!(
        told.command.unwrap(),
        "uv pip compile 'my requirements.in' -o 'requirements.txt;' rm -rf . \
         --upgrade-package 'tool>=1.2'"
    );
}

#[test]
fn a_password_in_the_command_at_the_head_is_not_shown() {
    let text = "# This file was autogenerated by uv via the following command:\n\
                #    uv pip compile a.in --index-url https://user:s3cret@example.org/simple\n";
    let manager = manager_of("requirements.txt", text);
    let told = command::take(&manager, &"tool".parse().unwrap(), &[], &wish("1.2"));
    let told = told.command.unwrap();
    assert!(told.contains("example.org/simple") && !told.contains("s3cret"), "{told}");
}

#[test]
fn a_program_of_a_similar_name_is_not_the_tool_that_wrote_a_file() {
    let text = "# This file is autogenerated by pip-compile with Python 3.14\n\
                #    pip-compile-evil --run a.in\n#    pip-compile a.in\n";
    let manager = manager_of("requirements.txt", text);
    assert_eq!(manager.written_by, ["pip-compile", "a.in"]);
}
