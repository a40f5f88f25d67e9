//! Several files, includes, and where they are looked up.

use std::path::PathBuf;

use linchpin_dedalus::codes::Code;
use linchpin_dedalus::load::{FileSystem, Memory};
use linchpin_dedalus::{Compilation, CompileOptions, compile_files};

fn compile(inputs: &[&str], include_dirs: &[&str], loader: &Memory) -> Compilation {
    let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
    compile_files(&paths(inputs), &paths(include_dirs), loader, &CompileOptions::default())
}

fn codes(compilation: &Compilation) -> Vec<Code> {
    compilation.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

fn facts(compilation: Compilation) -> Vec<String> {
    let codes = codes(&compilation);
    let program = compilation.program.unwrap_or_else(|| panic!("{codes:?}"));
    program.facts.iter().map(|fact| program.relation(fact.relation).name.clone()).collect()
}

#[test]
fn several_inputs_are_one_program() {
    let loader = Memory::new().with("x/a.ded", "q(X) :- p(X);").with("y/b.ded", "p(\"a\")@1;");
    let compilation = compile(&["x/a.ded", "y/b.ded"], &[], &loader);
    assert_eq!(codes(&compilation), []);
    let program = compilation.program.expect("no errors");
    assert_eq!((program.facts.len(), program.rules.len()), (1, 1));
    assert_eq!(compilation.sources.files.len(), 2);
}

#[test]
fn includes_stand_in_place_and_are_read_once() {
    let loader = Memory::new()
        .with("main.ded", "a(\"n\")@1; include \"b.ded\"; c(\"n\")@1; include \"./b.ded\";")
        .with("b.ded", "b(\"n\")@1;");
    assert_eq!(facts(compile(&["main.ded", "b.ded"], &[], &loader)), ["a", "b", "c"]);
    assert_eq!(facts(compile(&["b.ded", "main.ded"], &[], &loader)), ["b", "a", "c"]);
}

#[test]
fn the_order_of_lookup() {
    let main = "include \"lib/one.ded\";";
    let one = "include \"two.ded\";";
    let everywhere = Memory::new()
        .with("p/main.ded", main)
        .with("p/lib/one.ded", one)
        .with("p/two.ded", "beside_first_input(\"n\")@1;")
        .with("p/lib/two.ded", "beside_including(\"n\")@1;")
        .with("i/two.ded", "in_directory(\"n\")@1;");
    assert_eq!(facts(compile(&["p/main.ded"], &["i"], &everywhere)), ["beside_first_input"]);
    let later = Memory::new()
        .with("p/main.ded", main)
        .with("p/lib/one.ded", one)
        .with("p/lib/two.ded", "beside_including(\"n\")@1;")
        .with("i/two.ded", "in_directory(\"n\")@1;");
    assert_eq!(facts(compile(&["p/main.ded"], &["i"], &later)), ["beside_including"]);
    let last = Memory::new()
        .with("p/main.ded", main)
        .with("p/lib/one.ded", one)
        .with("j/two.ded", "in_second_directory(\"n\")@1;");
    assert_eq!(facts(compile(&["p/main.ded"], &["i", "j"], &last)), ["in_second_directory"]);
}

#[test]
fn a_missing_include_names_the_places() {
    let loader = Memory::new()
        .with("p/main.ded", "include \"lib/one.ded\";")
        .with("p/lib/one.ded", "include \"two.ded\";");
    let compilation = compile(&["p/main.ded"], &["i"], &loader);
    assert_eq!(codes(&compilation), [Code::IncludeNotFound]);
    let diagnostic = &compilation.diagnostics[0];
    let span = diagnostic.primary.as_ref().expect("a place").span;
    assert_eq!(compilation.sources.file(span.file).path, "p/lib/one.ded");
    assert_eq!(compilation.sources.text(span), "\"two.ded\"");
    let help = diagnostic.help.as_ref().expect("help");
    for path in ["`p/two.ded`", "`p/lib/two.ded`", "`i/two.ded`"] {
        assert!(help.contains(path), "{help}");
    }
}

#[test]
fn cycles_are_harmless() {
    let loader = Memory::new()
        .with("a.ded", "include \"a.ded\"; include \"b.ded\"; a(\"n\")@1;")
        .with("b.ded", "include \"c.ded\"; b(\"n\")@1;")
        .with("c.ded", "include \"a.ded\"; c(\"n\")@1;");
    let compilation = compile(&["a.ded"], &[], &loader);
    assert_eq!(codes(&compilation), [Code::IncludeCycle; 2]);
    assert!(compilation.diagnostics[1].message.contains("a.ded -> b.ded -> c.ded -> a.ded"));
    assert_eq!(facts(compilation), ["c", "b", "a"]);
}

#[test]
fn a_diamond_is_no_cycle() {
    let loader = Memory::new()
        .with("a.ded", "include \"b.ded\"; include \"c.ded\";")
        .with("b.ded", "include \"d.ded\";")
        .with("c.ded", "include \"d.ded\";")
        .with("d.ded", "d(\"n\")@1;");
    let compilation = compile(&["a.ded"], &[], &loader);
    assert_eq!(codes(&compilation), []);
    assert_eq!(facts(compilation), ["d"]);
}

#[test]
fn a_deep_chain_of_includes() {
    let mut loader = Memory::new();
    for index in 0..20_000 {
        loader = loader.with(format!("{index}"), format!("include \"{}\";", index + 1));
    }
    let loader = loader.with("20000", "p(\"n\")@1;");
    assert_eq!(facts(compile(&["0"], &[], &loader)), ["p"]);
}

#[test]
fn errors_carry_the_file_they_are_in() {
    let loader = Memory::new()
        .with("a.ded", "include \"b.ded\"; p(\"n\", 1)@1;")
        .with("b.ded", "p(\"n\")@1;");
    let compilation = compile(&["a.ded"], &[], &loader);
    assert_eq!(codes(&compilation), [Code::Arity]);
    let diagnostic = &compilation.diagnostics[0];
    let path =
        |span: linchpin_dedalus::source::Span| compilation.sources.file(span.file).path.as_str();
    assert_eq!(path(diagnostic.primary.as_ref().expect("a place").span), "a.ded");
    assert_eq!(path(diagnostic.secondary[0].span), "b.ded");
}

#[test]
fn files_of_the_system() {
    let directory = std::env::temp_dir().join(format!("linchpin-includes-{}", std::process::id()));
    std::fs::create_dir_all(directory.join("lib")).expect("a directory");
    let main = directory.join("main.ded");
    std::fs::write(&main, "include \"lib/one.ded\"; include \"lib/../main.ded\";").expect("a file");
    std::fs::write(directory.join("lib/one.ded"), "p(\"n\")@1;").expect("a file");
    let options = CompileOptions::default();
    let compilation = compile_files(std::slice::from_ref(&main), &[], &FileSystem, &options);
    assert_eq!(codes(&compilation), [Code::IncludeCycle]);
    assert_eq!(facts(compilation), ["p"]);
    for unreadable in [directory.clone(), directory.join("none.ded")] {
        let compilation = compile_files(&[unreadable], &[], &FileSystem, &options);
        assert_eq!(codes(&compilation), [Code::FileUnreadable]);
        assert!(!compilation.diagnostics[0].message.contains("os error"));
    }
    std::fs::write(&main, "include \"lib\";").expect("a file");
    let compilation = compile_files(&[main], &[], &FileSystem, &options);
    assert_eq!(codes(&compilation), [Code::IncludeNotFound]);
    std::fs::remove_dir_all(directory).expect("the directory can be removed");
}
