//! The checks that every query passes before an engine sees it.

use catchment_schema::ItemFilter;

use crate::SearchError;

/// One query: the right width, every value finite.
pub(crate) fn check_query(query: &[f32], dim: usize) -> Result<(), SearchError> {
    if query.len() != dim {
        return Err(SearchError::WrongDimension {
            expected: dim,
            found: query.len(),
        });
    }
    check_finite(query)
}

/// Many queries: whole rows, finite values, no or as many filters. Returns how many queries there are.
pub(crate) fn check_batch(
    queries: &[f32],
    dim: usize,
    filters: &[ItemFilter<'_>],
) -> Result<usize, SearchError> {
    let n_queries = queries.len() / dim;
    if n_queries * dim != queries.len() {
        return Err(SearchError::WrongDimension {
            expected: dim,
            found: queries.len() - n_queries * dim,
        });
    }
    if !filters.is_empty() && filters.len() != n_queries {
        return Err(SearchError::FilterCount {
            expected: n_queries,
            found: filters.len(),
        });
    }
    check_finite(queries)?;
    Ok(n_queries)
}

fn check_finite(values: &[f32]) -> Result<(), SearchError> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(position) => Err(SearchError::NotFinite { position }),
    }
}

/// The filter of query `position`; none where there are no filters.
pub(crate) fn filter_of<'a>(filters: &[ItemFilter<'a>], position: usize) -> ItemFilter<'a> {
    filters.get(position).copied().unwrap_or(ItemFilter::NONE)
}
