//! `cargo xtask ci`.

use anyhow::Result;

use crate::test;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, args: &test::Args) -> Result<()> {
    test::run(workspace, args)
}
