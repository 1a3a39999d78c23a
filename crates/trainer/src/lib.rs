//! Recipes in, bundles out.
