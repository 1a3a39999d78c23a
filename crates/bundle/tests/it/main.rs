//! Bundles as their users meet them: through folders on a real disk, and from several processes.

mod concurrency;
mod damage;
mod golden;
mod kill;
mod lifecycle;
mod made;
