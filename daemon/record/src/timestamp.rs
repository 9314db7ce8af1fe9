//! Moments as text, always in UTC.

/// Now, as RFC 3339 with milliseconds, for records.
pub fn now() -> String {
    format!("{:.3}", jiff::Timestamp::now())
}

/// Now, in a form that is safe in a file name and sorts by time: `20261123T130501Z`.
pub fn for_file_name() -> String {
    jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn both_forms_have_their_shape() {
        let now = super::now();
        let parsed: jiff::Timestamp = now.parse().unwrap();
        assert!(parsed <= jiff::Timestamp::now());
        assert!(now.ends_with('Z') && now.len() == "2026-11-23T13:05:01.000Z".len(), "{now}");
        let name = super::for_file_name();
        assert!(name.len() == "20261123T130501Z".len() && name.ends_with('Z') && !name.contains(':'), "{name}");
    }
}
