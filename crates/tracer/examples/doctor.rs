//! Prints what works on this machine: `cargo run -p linchpin-tracer --example doctor`

use linchpin_tracer::doctor::examine;

fn main() {
    for check in examine() {
        println!("{:?} {}: {} (for {})", check.health, check.name, check.found, check.needed_for);
        if let Some(remedy) = check.remedy {
            println!("  hint: {remedy}");
        }
    }
}
