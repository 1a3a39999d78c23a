//! The frame of the page.

use std::fmt::{Result, Write};

use super::RunReport;
use super::escape::Text;

const STYLE: &str = include_str!("page.css");

/// Until the end of the header's first lines.
pub(super) fn open(page: &mut String, name: &str, kind: &str, verdict: &str) -> Result {
    let name = Text(name);
    write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{name}: {kind}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <header>\n<h1>{name}</h1>\n<p class=\"verdict\">{}</p>\n",
        Text(verdict)
    )
}

/// The end.
pub(super) fn close(page: &mut String) -> Result {
    page.write_str("</main>\n</body>\n</html>\n")
}

pub(super) fn begin(page: &mut String, report: &RunReport) -> Result {
    open(page, &report.name, "report", &report.verdict())?;
    if let Some(list) = report.lists.first() {
        let measured = &list.report;
        writeln!(
            page,
            "<p class=\"quiet\">{}. {} users ({} cold), {} held-out pairs ({} with a cold item), {} items.</p>",
            Text(&measured.protocol),
            measured.users,
            measured.cold_users,
            measured.pairs,
            measured.cold_pairs,
            measured.items
        )?;
    }
    page.write_str("</header>\n")
}

pub(super) fn end(page: &mut String, report: &RunReport) -> Result {
    if !report.recipe.is_empty() {
        write!(
            page,
            "<section>\n<h2>Configuration</h2>\n<pre tabindex=\"0\">{}</pre>\n</section>\n",
            Text(&report.recipe)
        )?;
    }
    if !report.versions.is_empty() {
        page.write_str("<section>\n<h2>Versions</h2>\n<dl>\n")?;
        for (name, version) in &report.versions {
            writeln!(
                page,
                "<div><dt>{}</dt><dd>{}</dd></div>",
                Text(name),
                Text(version)
            )?;
        }
        page.write_str("</dl>\n</section>\n")?;
    }
    close(page)
}

/// The name of a list's colour.
pub(super) fn colour(position: usize) -> String {
    format!("c{}", position % 8)
}
