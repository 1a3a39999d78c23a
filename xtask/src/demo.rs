//! `cargo xtask demo`: the main job, end to end.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::http::request;
use crate::workspace::{Program, Running, Workspace, stage};

/// What to demonstrate.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A real dataset instead of the made world: a recipe of `crates/trainer/recipes/`, its files found
    /// through `CATCHMENT_DATA`.
    #[arg(long)]
    dataset: Option<String>,
    /// End after the first answer instead of serving on.
    #[arg(long)]
    no_serve: bool,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    stage("build", || workspace.build(false))?;
    let folder = workspace
        .target
        .join("demo")
        .join(args.dataset.as_deref().unwrap_or("world"));
    let recipe = match &args.dataset {
        Some(name) => real_recipe(workspace, name)?,
        None => made_recipe(workspace, &folder, "demo")?,
    };
    let river = River::new(workspace, &folder, &recipe);
    stage("from raw data to a published bundle", || river.train())?;
    let mut server = river.serve()?;
    let user = river.example_user()?;
    let path = format!("/v1/recommend/{user}?n=10");
    let answer = river.get(&path)?;
    println!("\n$ curl 'http://{}{path}'", river.address);
    print_answer(&answer);
    println!(
        "\nWith your own file (docs/guide.md):\n  {} init --interactions log.csv\n",
        relative(workspace, &workspace.program(Program::Train, false))
    );
    if args.no_serve {
        return Ok(());
    }
    println!("Serving on http://{} until Ctrl-C.", river.address);
    server.wait()
}

/// The same river over a tiny world, checked instead of shown.
pub(crate) fn end_to_end(workspace: &Workspace) -> Result<()> {
    workspace.build(false)?;
    let folder = workspace.target.join("demo").join("tiny");
    let recipe = made_recipe(workspace, &folder, "tiny")?;
    let river = River::new(workspace, &folder, &recipe);
    river.train()?;
    let _server = river.serve()?;
    let user = river.example_user()?;
    let path = format!("/v1/recommend/{user}?n=10");
    let before = items(&river.get(&path)?)?;
    ensure!(
        before.len() == 10,
        "10 items were asked for, {} came",
        before.len()
    );
    let event = format!(
        r#"{{"events":[{{"user_id":"{user}","item_id":"{}","type":"view"}}]}}"#,
        before[0]
    );
    let posted = request(river.address, "POST", "/v1/events", Some(&event))?;
    ensure!(
        posted.status == 200,
        "the event was answered {}: {}",
        posted.status,
        posted.body
    );
    let after = items(&river.get(&path)?)?;
    ensure!(
        !after.contains(&before[0]),
        "an item just seen was recommended again"
    );
    println!("answered, took an event, and answered differently");
    Ok(())
}

/// One run: where it works, and where it serves.
struct River<'a> {
    workspace: &'a Workspace,
    folder: PathBuf,
    recipe: PathBuf,
    address: SocketAddr,
}

impl<'a> River<'a> {
    fn new(workspace: &'a Workspace, folder: &Path, recipe: &Path) -> Self {
        let address = free_address();
        Self {
            workspace,
            folder: folder.to_owned(),
            recipe: recipe.to_owned(),
            address,
        }
    }

    fn train(&self) -> Result<()> {
        let mut command = Command::new(self.workspace.program(Program::Train, false));
        command.arg("run").arg(&self.recipe);
        command
            .arg("--work")
            .arg(self.folder.join("work"))
            .arg("--to")
            .arg(self.folder.join("bundles"));
        command.arg("--summary").arg(self.summary());
        self.workspace.checked(&mut command)
    }

    /// What the run said of itself.
    fn summary(&self) -> PathBuf {
        self.folder.join("run.json")
    }

    fn serve(&self) -> Result<Running> {
        let bundles = self.folder.join("bundles");
        let state = self.folder.join("state");
        // Events of an earlier demonstration would change what this one shows.
        if state.exists() {
            fs::remove_dir_all(&state).with_context(|| state.display().to_string())?;
        }
        let (listen, admin) = (self.address.to_string(), free_address().to_string());
        let mut server = self.workspace.start(
            Program::Serve,
            &[
                "--bundles",
                &bundles.to_string_lossy(),
                "--data",
                &state.to_string_lossy(),
                "--listen",
                &listen,
                "--admin",
                &admin,
            ],
        )?;
        let start = Instant::now();
        loop {
            server.still_runs()?;
            if request(self.address, "GET", "/health/ready", None).is_ok_and(|answer| answer.status == 200) {
                return Ok(server);
            }
            ensure!(
                start.elapsed() < Duration::from_mins(1),
                "the server was not ready within 60 s"
            );
            sleep(Duration::from_millis(50));
        }
    }

    fn get(&self, path: &str) -> Result<Value> {
        let answer = request(self.address, "GET", path, None)?;
        ensure!(
            answer.status == 200,
            "GET {path} was answered {}: {}",
            answer.status,
            answer.body
        );
        Ok(serde_json::from_str(&answer.body)?)
    }

    /// A user with some history, as the run noted it.
    fn example_user(&self) -> Result<String> {
        let path = self.summary();
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let run: Value = serde_json::from_str(&text)?;
        Ok(run["example_user"]
            .as_str()
            .context("run.json names no example user")?
            .to_owned())
    }
}

fn made_recipe(workspace: &Workspace, folder: &Path, preset: &str) -> Result<PathBuf> {
    let world = folder.join("data");
    let mut command = Command::new(workspace.program(Program::Train, false));
    command
        .args(["synth", "--preset", preset, "--force", "-o"])
        .arg(&world);
    stage("make a world whose truth is known", || {
        workspace.checked(&mut command)
    })?;
    Ok(world.join("catchment.toml"))
}

fn real_recipe(workspace: &Workspace, name: &str) -> Result<PathBuf> {
    let recipe = workspace
        .root
        .join("crates/trainer/recipes")
        .join(format!("{name}.toml"));
    if !recipe.is_file() {
        bail!(
            "no recipe {}: `cargo xtask reproduce` lists what there is",
            recipe.display()
        );
    }
    let data = std::env::var_os("CATCHMENT_DATA").map(PathBuf::from).with_context(|| {
        format!("set CATCHMENT_DATA to the folder that holds {name}/ (`cargo xtask data {name}` says where to get it)")
    })?;
    ensure!(
        data.is_dir(),
        "CATCHMENT_DATA is {}, and there is no such folder",
        data.display()
    );
    Ok(recipe)
}

fn free_address() -> SocketAddr {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    TcpListener::bind(any)
        .and_then(|listener| listener.local_addr())
        .unwrap_or(any)
}

fn items(answer: &Value) -> Result<Vec<String>> {
    let items = answer["items"].as_array().context("an answer without items")?;
    items
        .iter()
        .map(|item| Ok(item["item_id"].as_str().context("an item without id")?.to_owned()))
        .collect()
}

fn print_answer(answer: &Value) {
    for item in answer["items"].as_array().into_iter().flatten() {
        let channels: Vec<String> = item["channels"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|channel| format!("{} #{}", channel["name"].as_str().unwrap_or("?"), channel["rank"]))
            .collect();
        let title = item["attributes"]["title"].as_str().unwrap_or("");
        println!(
            "{:>3}. {:<8} {title:<48.48} {:>7.4}  {}",
            item["rank"].to_string(),
            item["item_id"].as_str().unwrap_or("?"),
            item["score"].as_f64().unwrap_or(f64::NAN),
            channels.join(", ")
        );
    }
}

fn relative(workspace: &Workspace, path: &Path) -> String {
    path.strip_prefix(&workspace.root)
        .unwrap_or(path)
        .display()
        .to_string()
}
