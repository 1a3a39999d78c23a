//! The words of the world: categories with the nouns that hint at them.

/// A category: its name, and what the things in it are called.
pub(crate) struct Words {
    pub(crate) name: &'static str,
    pub(crate) nouns: [&'static str; 6],
}

const fn words(name: &'static str, nouns: [&'static str; 6]) -> Words {
    Words { name, nouns }
}

/// No word occurs in two categories.
pub(crate) const CATEGORIES: [Words; 24] = [
    words(
        "tea",
        ["Teapot", "Oolong", "Infuser", "Matcha", "Samovar", "Assam"],
    ),
    words(
        "coffee",
        ["Grinder", "Espresso", "Moka", "Roast", "Percolator", "Arabica"],
    ),
    words(
        "garden",
        [
            "Trellis",
            "Trowel",
            "Seedlings",
            "Secateurs",
            "Compost",
            "Sundial",
        ],
    ),
    words(
        "kitchen",
        ["Skillet", "Whisk", "Ladle", "Casserole", "Grater", "Colander"],
    ),
    words(
        "cycling",
        [
            "Saddle",
            "Pannier",
            "Derailleur",
            "Handlebar",
            "Mudguard",
            "Tandem",
        ],
    ),
    words(
        "camping",
        ["Tent", "Lantern", "Hammock", "Stove", "Bivouac", "Rucksack"],
    ),
    words(
        "sailing",
        ["Halyard", "Rudder", "Spinnaker", "Compass", "Dinghy", "Anchor"],
    ),
    words(
        "chess",
        ["Rook", "Gambit", "Endgame", "Bishop", "Chessboard", "Opening"],
    ),
    words(
        "painting",
        ["Easel", "Watercolour", "Palette", "Canvas", "Pigment", "Gouache"],
    ),
    words(
        "pottery",
        ["Glaze", "Kiln", "Stoneware", "Vase", "Clay", "Amphora"],
    ),
    words(
        "knitting",
        ["Yarn", "Needles", "Cardigan", "Mohair", "Stitches", "Bobbin"],
    ),
    words(
        "music",
        ["Fiddle", "Ukulele", "Metronome", "Harmonica", "Songbook", "Banjo"],
    ),
    words(
        "astronomy",
        [
            "Telescope",
            "Orrery",
            "Eyepiece",
            "Starchart",
            "Nebula",
            "Sextant",
        ],
    ),
    words(
        "birding",
        ["Binoculars", "Nestbox", "Feeder", "Plumage", "Warbler", "Hide"],
    ),
    words(
        "baking",
        [
            "Sourdough",
            "Proofer",
            "Brioche",
            "Cookie",
            "Rolling Pin",
            "Yeast",
        ],
    ),
    words(
        "woodwork",
        ["Chisel", "Dovetail", "Mallet", "Plane", "Workbench", "Spokeshave"],
    ),
    words(
        "climbing",
        ["Carabiner", "Harness", "Chalk", "Belay", "Crampon", "Piton"],
    ),
    words(
        "running",
        [
            "Stopwatch",
            "Trainers",
            "Marathon",
            "Racing Vest",
            "Pedometer",
            "Baton",
        ],
    ),
    words(
        "fishing",
        ["Reel", "Lure", "Waders", "Tackle", "Floats", "Landing Net"],
    ),
    words(
        "trains",
        [
            "Locomotive",
            "Signalbox",
            "Sleepers",
            "Turntable",
            "Tender",
            "Viaduct",
        ],
    ),
    words(
        "puzzles",
        ["Jigsaw", "Crossword", "Labyrinth", "Tangram", "Riddles", "Sudoku"],
    ),
    words(
        "history",
        [
            "Chronicle",
            "Atlas",
            "Biography",
            "Archive",
            "Dynasty",
            "Parchment",
        ],
    ),
    words(
        "robots",
        [
            "Servo",
            "Gripper",
            "Circuit",
            "Gyroscope",
            "Soldering Iron",
            "Automaton",
        ],
    ),
    words(
        "aquarium",
        ["Filter", "Angelfish", "Driftwood", "Coral", "Snail", "Waterweed"],
    ),
];

/// They say nothing about the item.
pub(crate) const ADJECTIVES: [&str; 24] = [
    "Quiet", "Bright", "Little", "Grand", "Crooked", "Royal", "Plain", "Midnight", "Northern", "Golden",
    "Hasty", "Patient", "Humble", "Clever", "Silver", "Windy", "Second", "Curious", "Sturdy", "Velvet",
    "Merry", "Distant", "Rugged", "Gentle",
];

/// Where users live, in falling number.
pub(crate) const COUNTRIES: [&str; 8] = ["IN", "BR", "DE", "JP", "CA", "KE", "AT", "NZ"];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_noun_tells_its_category() {
        let nouns: BTreeSet<_> = CATEGORIES.iter().flat_map(|category| category.nouns).collect();
        assert_eq!(nouns.len(), CATEGORIES.len() * 6);
        let names: BTreeSet<_> = CATEGORIES.iter().map(|category| category.name).collect();
        assert_eq!(names.len(), CATEGORIES.len());
    }

    #[test]
    fn no_word_needs_quotes_in_a_csv_file() {
        let nouns = CATEGORIES.iter().flat_map(|category| category.nouns);
        for word in nouns.chain(ADJECTIVES).chain(COUNTRIES) {
            assert!(
                word.chars().all(|c| c.is_ascii_alphabetic() || c == ' '),
                "{word}"
            );
        }
    }
}
