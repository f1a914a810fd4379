
/// The numbers that a text holds.
///
/// # Panics
/// Never: the expression is a constant.
#[must_use]
pub fn numbers(text: &str) -> Vec<u64> {
    regex::Regex::new("[0-9]+")
        .expect("a valid expression")
        .find_iter(text)
        .filter_map(|number| number.as_str().parse().ok())
        .collect()
}

#[cfg(test)]
mod tests_of_numbers {
    #[test]
    fn numbers_are_found() {
        assert_eq!(super::numbers("1 and 23"), [1, 23]);
    }
}
