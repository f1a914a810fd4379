
/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("not a record")]
    Json(#[from] serde_json::Error),
    #[error("a record of {0} bytes")]
    TooLarge(usize),
}

/// Reads a record.
///
/// # Errors
/// The text is too long, or no record.
pub fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, ReadError> {
    if text.len() > 1_000_000 {
        return Err(ReadError::TooLarge(text.len()));
    }
    Ok(serde_json::from_str(text)?)
}
