//! Which cases of a benchmark are run.

/// The cases among the known ones that the command line names; none: all of them.
///
/// # Errors
/// Says which cases there are when it names another.
pub fn chosen(known: &[&str]) -> Result<Vec<String>, String> {
    chosen_of(known, std::env::args().skip(1))
}

fn chosen_of(
    known: &[&str],
    arguments: impl Iterator<Item = String>,
) -> Result<Vec<String>, String> {
    let names: Vec<String> = arguments
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        Some(unknown) => Err(format!(
            "there is no case {unknown}; there are {}",
            known.join(", ")
        )),
        None => Ok(names),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_cases_are_chosen_and_others_refused() {
        let chosen = |arguments: &[&str]| {
            let arguments = arguments.iter().map(ToString::to_string);
            chosen_of(&["size", "memory"], arguments)
        };
        assert_eq!(chosen(&["--bench", "--quick"]), Ok(Vec::new()));
        assert_eq!(chosen(&["--bench", "size"]), Ok(vec!["size".to_owned()]));
        let error = "there is no case speed; there are size, memory".to_owned();
        assert_eq!(chosen(&["speed"]), Err(error));
    }
}
