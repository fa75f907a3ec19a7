//! From the settings to the end of the process.

use std::{os::unix::net::UnixListener, sync::Arc, time::Duration};

use nix::sys::resource::{Resource, setrlimit};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::{
    access::Rules,
    keyring::Keyring,
    open_files,
    retention::Retention,
    running::{Running, Wakers},
    start::{StartError, driver_config, durability, limits, platform_config, socket_options},
    watch::watch as watch_keys,
};
use crate::{
    activation,
    args::{Args, ExitStatus},
    command::Command,
    config::{Environment, Settings, SystemAccounts},
    credentials::{self, KeyState, Sources},
    driver::{Driver, Ends, Signal as DriverSignal},
    feed::Feed,
    hub::{COMMAND_QUEUE, Hub, PROCESS_QUEUE, StoreBacking, Upstream},
    lock::StateLock,
    logging::{self, LogHandle},
    metrics::Metrics,
    notify::Notifier,
    rpc::{self, Listener},
    shutdown::{Signal, Signals, Tasks},
    store::{self, Store},
    upstream::{Platform, Rest},
};

/// Runs the daemon until it is told to stop; blocking. The status is what the process ends with.
///
/// Call it before the process has a second thread.
pub fn run(args: &Args, env: Environment) -> ExitStatus {
    // A dump would hold the key and the messages. Where even that is refused, the unit's LimitCORE= helps.
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    let handed_over = match activation::take(&env) {
        Ok(handed_over) => handed_over,
        Err(error) => {
            tell(&error);
            return ExitStatus::Config;
        }
    };
    let (given, file) = handed_over
        .map(|socket| (socket.listener, socket.file))
        .unzip();
    let env = &env.with_socket(file);
    let settings = match Settings::resolve(&args.flags(), env, &SystemAccounts) {
        Ok(settings) => settings,
        Err(error) => {
            tell(&error);
            return ExitStatus::Config;
        }
    };
    if args.check_config {
        return check(&settings, env);
    }
    if args.salvage {
        return salvage(&settings);
    }
    let log = match logging::init(&settings.config.log, env) {
        Ok(log) => log,
        Err(error) => {
            tell(&error);
            return ExitStatus::Io;
        }
    };
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "no runtime");
            return ExitStatus::Io;
        }
    };
    match runtime.block_on(serve(args, env, settings, given, &log)) {
        Ok(status) => status,
        Err(error) => {
            tracing::error!("{error}");
            error.status()
        }
    }
}

/// `--check-config`: everything that a start would look at, and nothing that it would change.
fn check(settings: &Settings, env: &Environment) -> ExitStatus {
    for warning in &settings.warnings {
        tell(&format_args!("warning: {warning}"));
    }
    let platform = platform_config(settings)
        .and_then(|config| Platform::new(&config).map_err(StartError::from));
    if let Err(error) = platform {
        tell(&error);
        return ExitStatus::Config;
    }
    if let KeyState::Refused(refusal) = credentials::load(&Sources::of(settings, env)) {
        tell(&refusal);
        return ExitStatus::Config;
    }
    let file = settings.config_path.as_ref();
    let file = file.map_or_else(
        || "no file, defaults".to_owned(),
        |path| path.display().to_string(),
    );
    tell(&format_args!("the configuration is good ({file})"));
    ExitStatus::Ok
}

/// `--salvage`: a new database beside the damaged one.
fn salvage(settings: &Settings) -> ExitStatus {
    let dir = &settings.state_dir;
    let made = StateLock::claim(dir)
        .map_err(StartError::from)
        .and_then(|_lock| {
            let path = dir.join("state.db");
            store::salvage(dir).map_err(|source| StartError::Unsalvaged { path, source })
        });
    let salvaged = match made {
        Ok(salvaged) => salvaged,
        Err(error) => {
            tell(&error);
            return error.status();
        }
    };
    let (new, dir) = (salvaged.path.display(), dir.display());
    tell(&format_args!(
        "{new} has {} events; {} could not be read, and {} messages will be looked for in \
         AgentChat's history",
        salvaged.events, salvaged.lost_events, salvaged.wanted
    ));
    for (table, rows) in &salvaged.rows {
        tell(&format_args!("    {table}: {rows} rows"));
    }
    tell(&format_args!(
        "to go on with it: mv '{dir}/state.db' '{dir}/state.db.damaged' && \
         rm -f '{dir}/state.db-wal' '{dir}/state.db-shm' && mv '{new}' '{dir}/state.db'"
    ));
    ExitStatus::Ok
}

async fn serve(
    args: &Args,
    env: &Environment,
    mut settings: Settings,
    given: Option<UnixListener>,
    log: &LogHandle,
) -> Result<ExitStatus, StartError> {
    let max_connections = settings.config.socket.max_connections;
    let (places, too_few) = open_files::places(max_connections, open_files::raise());
    if let Some(warning) = &too_few {
        tracing::warn!("{warning}");
    }
    settings.warnings.extend(too_few);
    let mut signals = Signals::listen()?;
    let lock = StateLock::claim(&settings.state_dir)?;
    let store = Store::open(
        &settings.state_dir,
        durability(settings.config.storage.durability),
    )
    .map_err(|source| StartError::Store {
        path: settings.state_dir.join("state.db"),
        source,
    })?;
    let platform = Platform::new(&platform_config(&settings)?)?;
    let listener = match given {
        Some(given) => Listener::adopt(given, &settings.socket.path, settings.own_uid)?,
        None => Listener::bind(&socket_options(&settings))?,
    };
    let notifier = Arc::new(Notifier::of(env));

    let backing = Arc::new(StoreBacking {
        reader: store.reader.clone(),
        writer: store.writer.clone(),
    });
    let feed = Feed::open(&*backing)
        .await
        .map_err(|source| StartError::Store {
            path: store.path.clone(),
            source,
        })?;
    let (commands, command_receiver) = mpsc::channel(COMMAND_QUEUE);
    let (to_driver, driver_signals) = mpsc::channel(SIGNAL_QUEUE);
    let (upstream, upstream_receiver) = watch::channel(None);
    let (wants_key, key_wanted) = watch::channel(false);
    let (shutdown, asked_to_stop) = oneshot::channel();
    let metrics = Arc::new(Metrics::new());
    let config = driver_config(&settings, rand::random(), Arc::clone(&metrics));
    let keyring = Arc::new(Keyring::new(Sources::of(&settings, env), to_driver.clone()));
    let (process, requests) = mpsc::channel(PROCESS_QUEUE);
    let hub = Hub {
        spool: settings.state_dir.as_path().into(),
        commands: commands.clone(),
        process,
        backing,
        feed: Arc::clone(&feed),
        upstream: upstream_receiver,
        metrics: Arc::clone(&metrics),
        anonymous: Arc::new(Rest::new(platform.clone(), None, config.rest)),
        keys: Arc::<Keyring>::clone(&keyring),
    };
    let tasks = Tasks::new();
    let (writer, to_retention) = (store.writer.clone(), to_driver.clone());
    let retention = Retention::new(
        &settings,
        writer,
        platform.clone(),
        to_retention,
        Arc::clone(&metrics),
    );
    let ends = Ends {
        commands: command_receiver,
        signals: driver_signals,
        upstream,
        wants_key,
        shutdown,
    };
    let driver = Driver::new(
        config,
        store,
        feed,
        platform,
        ends,
        Arc::clone(&notifier),
        tasks.clone(),
    );
    let driver = tasks.spawn_essential("driver", driver.run());
    let in_use = hub.upstream.clone();
    settle_key(&keyring, in_use).await;

    let stop_serving = CancellationToken::new();
    let rules = Rules::new(&settings);
    let api = rpc::serve(
        listener,
        hub,
        limits(&settings, places),
        rules.access(),
        stop_serving.clone(),
    );
    let api = tasks.spawn_essential("api", api);
    if let Some(interval) = notifier.watchdog_interval() {
        tasks.spawn(
            "watchdog",
            watchdog(commands, Arc::clone(&notifier), interval),
        );
    }
    let stop = tasks.token();
    tasks.spawn("retention", async move {
        stop.run_until_cancelled(retention.run()).await;
    });
    tracing::info!(
        socket = %settings.socket.path.display(),
        handed_over = settings.socket.handed_over,
        state_dir = %settings.state_dir.display(),
        "agentchatd {} serves", env!("CARGO_PKG_VERSION")
    );
    let mut daemon = Running {
        args,
        env,
        log,
        started_with: settings.clone(),
        settings,
        rules,
        to_driver,
        keyring,
    };
    tasks.spawn(
        "keys",
        watch_keys(Arc::clone(&daemon.keyring), key_wanted, tasks.clone()),
    );
    notifier.ready();

    let ends = Wakers {
        notifier: &notifier,
        signals: &mut signals,
        requests,
        asked_to_stop,
        tasks: &tasks,
    };
    let stopped_by = daemon.watch(ends).await;
    tracing::info!(reason = stopped_by, "stopping");
    notifier.stopping();
    stop_serving.cancel();
    let orderly = async {
        let _ = api.await;
        let _ = daemon.to_driver.send(DriverSignal::Stop).await;
        let well = driver.await.unwrap_or(false);
        tasks.close_and_wait(LAST_TASKS).await.map(|()| well)
    };
    let mut well = true;
    tokio::select! {
        ended = tokio::time::timeout(STOP_DEADLINE, orderly) => match ended {
            Ok(Ok(driver_is_well)) => well = driver_is_well,
            Ok(Err(unfinished)) => tracing::warn!("{unfinished}"),
            Err(_) => tracing::warn!("the time to stop is over"),
        },
        () = until_now(&mut signals) => tracing::warn!("told to stop at once"),
    }
    drop(lock);
    // What stopped by itself is to be started again by the service manager.
    let failed = tasks.failed().is_some() || !well;
    Ok(if failed {
        ExitStatus::Io
    } else {
        ExitStatus::Ok
    })
}

/// Hands the first key to the driver and waits until it is in use. Whoever connects waits in the
/// socket's queue meanwhile, and is not told that there is no key while there is one.
async fn settle_key(keyring: &Keyring, mut in_use: watch::Receiver<Option<Arc<dyn Upstream>>>) {
    if keyring.offer().await.is_none() {
        // A driver that has ended takes no key; the process is on its way out.
        let _ = in_use.wait_for(Option::is_some).await;
    }
}

async fn until_now(signals: &mut Signals) {
    while signals.next().await != Signal::StopNow {}
}

/// Tells the service manager that the main loop turns, unless health says `down`.
async fn watchdog(commands: mpsc::Sender<Command>, notifier: Arc<Notifier>, interval: Duration) {
    let mut ticks = tokio::time::interval(interval);
    loop {
        ticks.tick().await;
        let (reply, health) = oneshot::channel();
        if commands.send(Command::Health { reply }).await.is_err() {
            return;
        }
        let down = agentchatd_client::types::Verdict::Down;
        if health.await.is_ok_and(|health| health.verdict != down) {
            notifier.watchdog();
        }
    }
}

/// Before the log is set up there is only standard error.
fn tell(text: &dyn std::fmt::Display) {
    use std::io::Write as _;
    // Where nobody reads, nobody is told.
    let _ = writeln!(std::io::stderr(), "agentchatd: {text}");
}

/// Signals to the driver that may wait.
const SIGNAL_QUEUE: usize = 16;
/// All that is under way may take this long at the end (`local-api.md` 8).
const STOP_DEADLINE: Duration = Duration::from_secs(10);
/// Of that, the tasks that nobody waits for otherwise.
const LAST_TASKS: Duration = Duration::from_secs(1);
