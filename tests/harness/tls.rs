//! What may stand between the daemon and a platform: TLS with certificates of our own making, and an
//! HTTP proxy.
//!
//! Both run on a thread of their own until they are dropped.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// For a client of this process that is to speak TLS, or that could.
pub fn choose_cryptography() {
    // Who came before has chosen the same.
    let _ = ring::default_provider().install_default();
}

/// A certificate authority that nobody knows yet.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// A new one.
    ///
    /// # Panics
    /// Where no key can be made.
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key can be made");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("it signs itself");
        Self { issuer }
    }

    /// Its certificate, as a file for those who are to trust it.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    fn server(&self, name: &str) -> Arc<ServerConfig> {
        let key = KeyPair::generate().expect("a key can be made");
        let params = CertificateParams::new([name.to_owned()]).expect("a name or an address");
        let certificate = params.signed_by(&key, &self.issuer).expect("it signs");
        let chain = vec![CertificateDer::from(certificate)];
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the usual versions")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("key and certificate belong together");
        Arc::new(config)
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

/// TLS in front of a server that speaks without it.
#[derive(Debug)]
pub struct TlsFront {
    address: SocketAddr,
    _runtime: Runtime,
}

impl TlsFront {
    /// Shows a certificate for `name` and passes all on to `target`.
    ///
    /// # Panics
    /// Where the system gives no port or thread.
    pub fn start(authority: &Authority, name: &str, target: SocketAddr) -> Self {
        let acceptor = TlsAcceptor::from(authority.server(name));
        let (runtime, listener) = listener();
        let address = listener.local_addr().expect("it is bound");
        runtime.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                connections.spawn(async move {
                    // Whoever does not trust the certificate goes away.
                    let mut client = acceptor.accept(client).await?;
                    let mut server = TcpStream::connect(target).await?;
                    copy_bidirectional(&mut client, &mut server).await
                });
            }
        });
        Self {
            address,
            _runtime: runtime,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// An HTTP proxy that makes tunnels, and makes them all to one server, whatever name is asked for.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    _runtime: Runtime,
}

impl Proxy {
    /// Starts it.
    ///
    /// # Panics
    /// Where the system gives no port or thread.
    pub fn start(target: SocketAddr) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (runtime, listener) = listener();
        let address = listener.local_addr().expect("it is bound");
        let heads = Arc::clone(&seen);
        runtime.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(tunnel(client, target, Arc::clone(&heads)));
            }
        });
        Self {
            address,
            seen,
            _runtime: runtime,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The requests for tunnels, whole.
    pub fn seen(&self) -> Vec<String> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

async fn tunnel(
    mut client: TcpStream,
    target: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_BYTES {
        head.push(client.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let is_tunnel = head.starts_with("CONNECT ");
    seen.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(head);
    if !is_tunnel {
        return client
            .write_all(b"HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\n\r\n")
            .await;
    }
    let mut server = TcpStream::connect(target).await?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

fn listener() -> (Runtime, TcpListener) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a thread can be had");
    let bound = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    (runtime, bound.expect("a loopback port is free"))
}

/// A longer head is none.
const HEAD_BYTES: usize = 16 << 10;
