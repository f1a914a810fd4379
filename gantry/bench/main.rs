//! Prints the records of the numbers in a text.

use clap::Parser;

#[derive(Parser)]
struct Arguments {
    text: String,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    for number in LIBRARY::numbers(&arguments.text) {
        println!("{}", serde_json::to_string(&LIBRARY::Record0::sample(number))?);
    }
    Ok(())
}
