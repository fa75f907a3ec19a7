//! The process while it runs: what ends it, and what changes it.
//!
//! One loop hears the signals and the requests of the local API, so that two reloads never run
//! into each other. It never waits for the driver longer than the driver's queue is full.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use agentchatd_client::types::{KeyFound, LogLevel as Level, Reloaded};

use super::{access::Rules, keyring::Keyring, start::NOT_CONFIGURED};
use crate::{
    args::Args,
    command::ProcessRequest,
    config::{ConfigError, Environment, LogLevel, Settings, SystemAccounts},
    credentials::Sources,
    driver::Signal as DriverSignal,
    logging::LogHandle,
    notify::Notifier,
    shutdown::{Signal, Signals, Tasks},
};

/// What a reload reads, and what it may change.
pub(super) struct Running<'a> {
    pub(super) args: &'a Args,
    pub(super) env: &'a Environment,
    pub(super) log: &'a LogHandle,
    /// What holds for all that only a restart changes.
    pub(super) started_with: Settings,
    /// What holds for the rest.
    pub(super) settings: Settings,
    pub(super) rules: Rules,
    pub(super) to_driver: mpsc::Sender<DriverSignal>,
    pub(super) keyring: Arc<Keyring>,
}

/// Everything that may end or change the daemon.
pub(super) struct Wakers<'a> {
    pub(super) notifier: &'a Notifier,
    pub(super) signals: &'a mut Signals,
    pub(super) requests: mpsc::Receiver<ProcessRequest>,
    pub(super) asked_to_stop: oneshot::Receiver<()>,
    pub(super) tasks: &'a Tasks,
}

impl Running<'_> {
    /// Waits for the end; says who asked for it. Requests that come later find nobody.
    pub(super) async fn watch(&mut self, wakers: Wakers<'_>) -> &'static str {
        let Wakers {
            notifier,
            signals,
            mut requests,
            mut asked_to_stop,
            tasks,
        } = wakers;
        loop {
            tokio::select! {
                signal = signals.next() => match signal {
                    Signal::Stop | Signal::StopNow => return "signal",
                    // The log has told what is wrong.
                    Signal::Reload => drop(self.reload(notifier).await),
                },
                Some(request) = requests.recv() => self.serve(request, notifier).await,
                _ = &mut asked_to_stop => return "daemon.shutdown",
                () = tasks.cancelled() => return "a task that it cannot do without has failed",
            }
        }
    }

    /// Callers may be gone by the time they are answered.
    async fn serve(&mut self, request: ProcessRequest, notifier: &Notifier) {
        match request {
            ProcessRequest::Reload { reply } => {
                let _ = reply.send(self.reload(notifier).await);
            }
            ProcessRequest::SetLogLevel { level, reply } => {
                self.log.set_level(from_api(level));
                let level = to_api(self.log.level());
                tracing::info!(?level, "the log level is set until the next reload");
                let _ = reply.send(level);
            }
        }
    }

    /// Configuration, key and log level. A bad configuration leaves all as it was; the key is
    /// looked for again even so.
    async fn reload(&mut self, notifier: &Notifier) -> Result<Reloaded, ConfigError> {
        notifier.reloading();
        let taken = self.take_configuration();
        let problem = self.keyring.offer().await;
        notifier.ready();
        let changed = taken?;
        let (api_key, api_key_problem) = match problem {
            None => (KeyFound::Found, None),
            Some(problem) if problem == NOT_CONFIGURED => (KeyFound::NotConfigured, None),
            Some(problem) => (KeyFound::Refused, Some(problem)),
        };
        let settings = &self.settings;
        let path = settings.config_path.as_ref();
        Ok(Reloaded {
            config_path: path.map(|path| path.display().to_string()),
            changed,
            needs_restart: self.started_with.needs_restart_for(settings),
            log_level: to_api(self.log.level()),
            api_key,
            api_key_problem,
            warnings: settings.warnings.clone(),
        })
    }

    /// The keys that changed and count from now on.
    fn take_configuration(&mut self) -> Result<Vec<String>, ConfigError> {
        let resolved = Settings::resolve(&self.args.flags(), self.env, &SystemAccounts);
        let settings = resolved.inspect_err(|error| {
            tracing::error!("the configuration is left as it was: {error}");
        })?;
        for key in self.started_with.needs_restart_for(&settings) {
            tracing::warn!(key, "a change of this key waits for a restart");
        }
        let changed = self.settings.reloads_for(&settings);
        self.log.set_level(settings.config.log.level);
        self.log.set_payloads(settings.config.log.payloads);
        self.rules.replace(&settings);
        self.keyring.look_in(Sources::of(&settings, self.env));
        self.settings = settings;
        tracing::info!(?changed, "the configuration was read again");
        Ok(changed)
    }
}

fn from_api(level: Level) -> LogLevel {
    match level {
        Level::Off => LogLevel::Off,
        Level::Error => LogLevel::Error,
        Level::Warn => LogLevel::Warn,
        Level::Info => LogLevel::Info,
        Level::Debug => LogLevel::Debug,
        Level::Trace => LogLevel::Trace,
    }
}

fn to_api(level: LogLevel) -> Level {
    match level {
        LogLevel::Off => Level::Off,
        LogLevel::Error => Level::Error,
        LogLevel::Warn => Level::Warn,
        LogLevel::Info => Level::Info,
        LogLevel::Debug => Level::Debug,
        LogLevel::Trace => Level::Trace,
    }
}
