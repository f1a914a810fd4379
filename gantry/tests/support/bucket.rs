//! A bucket on loopback, served by moto: an implementation of Amazon's services for tests.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::{text, wait_until};

pub(crate) struct Bucket {
    server: Child,
    /// As `127.0.0.1:PORT`.
    endpoint: String,
    name: &'static str,
}

impl Bucket {
    /// An empty one that is everybody's; none where moto's server is not installed. `folder` is where the server runs.
    pub(crate) fn start(folder: &Path) -> Option<Self> {
        // Its number is free again when this line has ended.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let server = Command::new("moto_server")
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut bucket = Self {
            server,
            endpoint: format!("127.0.0.1:{port}"),
            name: "acme-nix",
        };
        wait_until(|| {
            let ended = bucket.server.try_wait().unwrap();
            assert!(ended.is_none(), "moto_server: {ended:?}");
            TcpStream::connect(&bucket.endpoint).is_ok()
        });
        bucket.request("PUT", "", "");
        // Nix may be built without what signs requests.
        let policy = serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [format!("arn:aws:s3:::{}/*", bucket.name)],
            }],
        });
        bucket.request("PUT", "?policy", &policy.to_string());
        Some(bucket)
    }

    /// Its URL as a binary cache, with these further parameters.
    pub(crate) fn url(&self, parameters: &str) -> String {
        let Self { endpoint, name, .. } = self;
        format!("s3://{name}?scheme=http&region=eu-central-1&endpoint={endpoint}{parameters}")
    }

    /// The list of its objects, as S3 writes it.
    pub(crate) fn list(&self) -> String {
        self.request("GET", "?list-type=2", "")
    }

    /// Forgets a store path.
    pub(crate) fn remove(&self, path: &str) {
        let name = path.rsplit('/').next().unwrap();
        let hash = name.split('-').next().unwrap();
        self.request("DELETE", &format!("/{hash}.narinfo"), "");
    }

    fn request(&self, method: &str, path: &str, body: &str) -> String {
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--fail", "--request", method])
            .args(["--header", "Content-Type: application/json", "--data", body])
            .arg(format!("http://{}/{}{path}", self.endpoint, self.name))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
