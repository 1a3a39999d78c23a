//! What a wrong name may have meant.

/// From this likeness (Jaro–Winkler, 0 to 1) on a name is worth a question.
const ALIKE: f64 = 0.75;

/// `; did you mean …?`, or nothing where no known name is like it.
pub(crate) fn did_you_mean(word: &str, known: &[impl AsRef<str>]) -> String {
    let likeness = |name: &str| strsim::jaro_winkler(word, name);
    let nearest = known
        .iter()
        .map(|name| (likeness(name.as_ref()), name.as_ref()))
        .filter(|&(likeness, _)| likeness > ALIKE)
        // Of equally like names the first.
        .reduce(|best, next| if next.0 > best.0 { next } else { best });
    nearest.map_or_else(String::new, |(_, name)| format!("; did you mean `{name}`?"))
}
