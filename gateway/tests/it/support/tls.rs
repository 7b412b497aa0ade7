//! HTTPS by the `openssl` command: an authority of the test's own, a certificate for 127.0.0.1, and a server of files.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;
use tokio::net::TcpStream;

use super::{eventually, keys::run_openssl};

/// Serves the files of a folder.
pub(crate) struct TlsServer {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl TlsServer {
    /// Serves one file of this name and text.
    pub(crate) async fn start(name: &str, text: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let file = |name: &str| folder.path().join(name);
        let path = |name: &str| file(name).to_str().unwrap().to_owned();
        std::fs::write(file(name), text).unwrap();
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
        let new = |certificate: &str, private: &str, subject: &str, more: &[&str]| {
            let names = ["-subj", subject, "-keyout", &path(private)];
            run_openssl(&[&["req", "-x509"], &key[..], &names[..], more].concat(), &file(certificate));
        };
        new("ca.pem", "ca.key", "/CN=Test authority", &["-addext", "keyUsage=critical,keyCertSign"]);
        let by = ["-CA", &path("ca.pem"), "-CAkey", &path("ca.key")];
        let host = ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"];
        new("server.pem", "server.key", "/CN=127.0.0.1", &[&by[..], &host[..]].concat());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("openssl")
            .args(["s_server", "-quiet", "-WWW", "-accept", &format!("127.0.0.1:{port}")])
            .args(["-cert", "server.pem", "-key", "server.key"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl runs");
        eventually("the start of the server", async || TcpStream::connect(("127.0.0.1", port)).await).await;
        Self { child, port, folder }
    }

    pub(crate) fn url(&self, name: &str) -> String {
        format!("https://127.0.0.1:{}/{name}", self.port)
    }

    /// The certificate of the authority.
    pub(crate) fn authority(&self) -> PathBuf {
        Path::new(self.folder.path()).join("ca.pem")
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
