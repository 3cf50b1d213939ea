//! What a path says about who reads the file.

/// Folders that hold what is published.
const BUILD_FOLDERS: [&str; 8] =
    ["dist", "build", ".next", "out", "public", ".output", ".svelte-kit", ".vercel"];
/// Parts of build output that stay on the server.
const SERVER_PARTS: [&str; 5] = ["server", "standalone", "functions", "cache", "serverless"];
/// Beginnings of the names of variables that bundlers write into what browsers download.
const PUBLIC_PREFIXES: [&str; 8] = [
    "NEXT_PUBLIC_",
    "NUXT_PUBLIC_",
    "EXPO_PUBLIC_",
    "REACT_APP_",
    "VUE_APP_",
    "GATSBY_",
    "PUBLIC_",
    "VITE_",
];

/// Whether a file is part of what a build publishes.
pub(super) fn is_build_output(path: &str) -> bool {
    let Some((folders, _name)) = path.rsplit_once('/') else { return false };
    let mut folders = folders.split('/');
    folders.any(|folder| BUILD_FOLDERS.contains(&folder))
        && !folders.any(|folder| SERVER_PARTS.contains(&folder))
}

/// Whether a file holds environment variables: `.env`, `.env.local`, `prod.env`, `.dev.vars`.
#[allow(clippy::case_sensitive_file_extension_comparisons, reason = "they are written so")]
pub(super) fn is_env_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name == ".env" || name.starts_with(".env.") || name.ends_with(".env") || name == ".dev.vars"
}

/// Whether a file belongs to an Edge Function of Supabase.
pub(super) fn is_edge_function(path: &str) -> bool {
    let code = [".ts", ".js", ".tsx", ".mjs"].iter().any(|ending| path.ends_with(ending));
    code && (path.starts_with("supabase/functions/") || path.contains("/supabase/functions/"))
}

/// The name of the variable that the line around `at` sets, in an environment file.
pub(super) fn variable_at(bytes: &[u8], at: usize) -> Option<&str> {
    let head = bytes.get(..at)?;
    let start = head.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let line = std::str::from_utf8(head.get(start..)?).ok()?;
    let (name, _) = line.trim_start().trim_start_matches("export ").split_once('=')?;
    Some(name.trim()).filter(|name| name.len() <= 80 && !name.starts_with('#'))
}

/// Whether bundlers write a variable of this name into what browsers download.
pub(super) fn is_public_variable(name: &str) -> bool {
    PUBLIC_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Names of public variables that hold something, and whose names say that it is private.
pub(super) fn private_names(bytes: &[u8]) -> impl Iterator<Item = (usize, &str)> {
    const PRIVATE: [&str; 4] = ["SERVICE_ROLE", "SECRET_KEY", "PRIVATE_KEY", "DATABASE_URL"];
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    text.lines().enumerate().filter_map(move |(index, line)| {
        let (name, value) = line.trim_start().trim_start_matches("export ").split_once('=')?;
        let (name, value) = (name.trim(), value.trim().trim_matches(['"', '\'']));
        let filled = value.len() >= 12 && !value.contains("your") && !value.starts_with(['$', '<']);
        let says_so = is_public_variable(name) && PRIVATE.iter().any(|word| name.contains(word));
        (filled && says_so && name.len() <= 80).then_some((index + 1, name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_files_are_told_from_sources_and_from_the_server_side() {
        assert!(is_build_output("dist/assets/index.js"));
        assert!(is_build_output("apps/web/.next/static/chunks/main.js"));
        assert!(is_build_output("public/config.js"));
        assert!(!is_build_output(".next/server/app/page.js"));
        assert!(!is_build_output("src/build.rs"));
        assert!(!is_build_output("src/lib/public.ts"));
    }

    #[test]
    fn the_variable_of_a_value_is_the_name_on_its_line() {
        let file = b"A=1\nexport VITE_KEY=\"value\"\n#B=value";
        assert_eq!(variable_at(file, 22), Some("VITE_KEY"));
        assert_eq!(variable_at(file, file.len()), None);
        assert!(is_public_variable("VITE_KEY") && !is_public_variable("KEY"));
        let file = b"VITE_SUPABASE_SERVICE_ROLE_KEY=abcdefghijklmnop\nVITE_SUPABASE_SECRET_KEY=\n";
        assert_eq!(
            private_names(file).collect::<Vec<_>>(),
            [(1, "VITE_SUPABASE_SERVICE_ROLE_KEY")]
        );
    }
}
