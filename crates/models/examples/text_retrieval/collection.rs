//! Judged collections: documents, queries, and which document is how relevant to which query.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail};
use catchment_features::trigrams::words;
use flate2::read::GzDecoder;

/// What a query can find.
pub(crate) struct Document {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) body: String,
}

impl Document {
    /// All of it.
    pub(crate) fn text(&self) -> String {
        format!("{} {}", self.title, self.body)
    }
}

/// What is asked, and the grades of the documents that were judged for it; 0: not relevant.
pub(crate) struct Query {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) grades: Vec<(usize, f32)>,
}

impl Query {
    /// The relevant documents and their grades.
    pub(crate) fn relevant(&self) -> impl Iterator<Item = (usize, f32)> {
        self.grades.iter().copied().filter(|&(_, grade)| grade > 0.0)
    }
}

/// Documents, and the queries for which a document is relevant.
pub(crate) struct Collection {
    pub(crate) documents: Vec<Document>,
    pub(crate) queries: Vec<Query>,
}

impl Collection {
    /// One of `cranfield`, `cisi` and `chorus-icecat`, below the folder of the datasets.
    pub(crate) fn open(data: &Path, name: &str) -> Result<Self> {
        let folder = data.join(name);
        let mut collection = match name {
            "cranfield" => cranfield(&folder),
            "cisi" => cisi(&folder),
            "chorus-icecat" => icecat(&folder),
            other => bail!("no collection {other}; there are cranfield, cisi, chorus-icecat"),
        }
        .with_context(|| folder.display().to_string())?;
        collection
            .queries
            .retain(|query| query.relevant().next().is_some());
        Ok(collection)
    }

    /// Documents and queries as the words that both sides see, for another program: an id, a tab, words.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        let mut out = String::new();
        for document in &self.documents {
            line(&mut out, &document.id, &document.text());
        }
        fs::write(folder.join("documents.tsv"), &out)?;
        out.clear();
        for query in &self.queries {
            line(&mut out, &query.id, &query.text);
        }
        Ok(fs::write(folder.join("queries.tsv"), &out)?)
    }
}

fn line(out: &mut String, id: &str, text: &str) {
    let words: Vec<String> = words(text).collect();
    let _ = writeln!(out, "{id}\t{}", words.join(" "));
}

/// A file, compressed or not. What is not UTF-8 is read as Latin 1.
fn read(folder: &Path, name: &str) -> Result<String> {
    let mut bytes = vec![];
    let packed = folder.join(format!("{name}.gz"));
    if packed.is_file() {
        GzDecoder::new(File::open(packed)?).read_to_end(&mut bytes)?;
    } else {
        File::open(folder.join(name))
            .with_context(|| name.to_owned())?
            .read_to_end(&mut bytes)?;
    }
    Ok(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => error.into_bytes().iter().map(|&byte| char::from(byte)).collect(),
    })
}

/// What stands between `<tag>` and `</tag>`.
fn inside<'a>(text: &'a str, tag: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{tag}>"))?;
    rest.split_once(&format!("</{tag}>"))
        .map(|(inside, _)| inside.trim())
}

/// XML; judgements in the form of TREC, which number the queries as they come and not by their `num`.
fn cranfield(folder: &Path) -> Result<Collection> {
    let text = read(folder, "cran.all.1400.xml")?;
    let documents: Vec<Document> = text
        .split("<doc>")
        .skip(1)
        .map(|doc| {
            let title = inside(doc, "title").unwrap_or_default();
            // The text begins with the title.
            let body = inside(doc, "text").unwrap_or_default();
            Document {
                id: inside(doc, "docno").unwrap_or_default().to_owned(),
                title: title.to_owned(),
                body: body.strip_prefix(title).unwrap_or(body).trim().to_owned(),
            }
        })
        .collect();
    let text = read(folder, "cran.qry.xml")?;
    let tops = text.split("<top>").skip(1).enumerate();
    let mut queries: Vec<Query> = tops
        .map(|(place, top)| Query {
            id: (place + 1).to_string(),
            text: inside(top, "title").unwrap_or_default().to_owned(),
            grades: vec![],
        })
        .collect();
    for line in read(folder, "cranqrel.trec.txt")?.lines() {
        let [query, _, document, grade] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            bail!("a judgement has four words: {line:?}");
        };
        judge(&mut queries, &documents, query, document, grade.parse()?)?;
    }
    Ok(Collection { documents, queries })
}

/// The SMART form: `.I` begins a text, `.T` its title, `.W` its words; whatever else there is, is left.
fn smart(text: &str) -> Vec<Document> {
    let mut documents: Vec<Document> = vec![];
    let mut field = ' ';
    for line in text.lines() {
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some(".I"), Some(id)) => {
                field = 'I';
                documents.push(Document {
                    id: id.to_owned(),
                    title: String::new(),
                    body: String::new(),
                });
            }
            (Some(name @ (".T" | ".A" | ".W" | ".X" | ".B")), None) => {
                field = name.chars().nth(1).unwrap_or(' ');
            }
            _ => {
                let Some(document) = documents.last_mut() else {
                    continue;
                };
                let to = match field {
                    'T' => &mut document.title,
                    'W' => &mut document.body,
                    _ => continue,
                };
                to.push_str(line.trim());
                to.push(' ');
            }
        }
    }
    documents
}

fn cisi(folder: &Path) -> Result<Collection> {
    let documents = smart(&read(folder, "CISI.ALL")?);
    let queries = smart(&read(folder, "CISI.QRY")?);
    let mut queries: Vec<Query> = queries
        .into_iter()
        .map(|query| Query {
            text: query.text(),
            id: query.id,
            grades: vec![],
        })
        .collect();
    for line in read(folder, "CISI.REL")?.lines() {
        let mut words = line.split_whitespace();
        if let (Some(query), Some(document)) = (words.next(), words.next()) {
            judge(&mut queries, &documents, query, document, 1.0)?;
        }
    }
    Ok(Collection { documents, queries })
}

/// Products as documents; grades of 0 to 3.
fn icecat(folder: &Path) -> Result<Collection> {
    let text = read(folder, "products.tsv")?;
    let mut documents = vec![];
    for line in text.lines().skip(1) {
        let [id, title, name, description, supplier, ..] = line.split('\t').collect::<Vec<_>>()[..] else {
            bail!("a product has at least five cells: {line:?}");
        };
        documents.push(Document {
            id: id.to_owned(),
            title: title.to_owned(),
            body: format!("{name} {description} {supplier}"),
        });
    }
    let text = read(folder, "judgments.csv")?;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let mut queries: Vec<Query> = vec![];
    for row in reader.records() {
        let row = row?;
        let cell = |place: usize| row.get(place).unwrap_or_default();
        if queries.last().is_none_or(|query| query.id != cell(0))
            && !queries.iter().any(|query| query.id == cell(0))
        {
            queries.push(Query {
                id: cell(0).to_owned(),
                text: cell(0).to_owned(),
                grades: vec![],
            });
        }
        judge(&mut queries, &documents, cell(0), cell(1), cell(7).parse()?)?;
    }
    Ok(Collection { documents, queries })
}

/// Adds a judgement; of several about one pair the highest counts.
fn judge(
    queries: &mut [Query],
    documents: &[Document],
    query: &str,
    document: &str,
    grade: f32,
) -> Result<()> {
    let query = queries.iter_mut().rev().find(|one| one.id == query);
    let query = query.with_context(|| format!("a judgement of the unknown query {document}"))?;
    // Mostly numbered as they come.
    let guess = document.parse::<usize>().unwrap_or(0).wrapping_sub(1);
    let place = match documents.get(guess) {
        Some(one) if one.id == document => Some(guess),
        _ => documents.iter().position(|one| one.id == document),
    };
    let place = place.with_context(|| format!("a judgement of the unknown document {document}"))?;
    match query.grades.iter_mut().find(|(one, _)| *one == place) {
        Some((_, known)) => *known = known.max(grade),
        None => query.grades.push((place, grade)),
    }
    Ok(())
}
