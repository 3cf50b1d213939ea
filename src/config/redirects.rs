//! The map of old addresses, as CSV.

use launchready_checks::contract::RedirectRule;

/// Lines `from,to,status`, the first of which names the columns.
pub(super) fn read_redirects(text: &str) -> Result<Vec<RedirectRule>, String> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let header = lines.next().map(|(_, line)| line.trim().trim_start_matches('\u{feff}'));
    if !matches!(header, Some("from,to,status" | "from,to")) {
        return Err("the first line must be from,to,status".to_owned());
    }
    let mut rules = Vec::new();
    for (index, line) in lines {
        let wrong = |what: &str| format!("line {}: {what}", index + 1);
        let mut cells = line.split(',').map(str::trim);
        let (Some(from), Some(to)) = (cells.next(), cells.next()) else {
            return Err(wrong("write from,to or from,to,status"));
        };
        let status = match cells.next() {
            None | Some("") => None,
            Some(text) => match text.parse() {
                Ok(status @ 300..400) => Some(status),
                _ => return Err(wrong("the status must be between 300 and 399, or empty")),
            },
        };
        if from.is_empty() || to.is_empty() || cells.next().is_some() {
            return Err(wrong("write from,to or from,to,status"));
        }
        rules.push(RedirectRule { from: from.to_owned(), to: to.to_owned(), status });
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirect_maps_are_read_line_by_line() {
        let rules =
            read_redirects("from,to,status\n/old,/new,301\n/a,https://b.example/,\n").unwrap();
        assert_eq!(rules.len(), 2);
        assert_eq!(rules[0].status, Some(301));
        assert!(read_redirects("/old,/new\n").is_err());
        assert!(read_redirects("from,to,status\n/old,/new,200\n").unwrap_err().contains("line 2"));
    }
}
