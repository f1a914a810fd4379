//! A binary cache on loopback: files of a folder over HTTP, to be read and written.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::{fs, thread};

pub(crate) struct Server {
    pub(crate) url: String,
    folder: PathBuf,
    /// Method and path of each request.
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Serves `folder` for as long as the test runs.
    pub(crate) fn start(folder: &Path) -> Self {
        fs::create_dir_all(folder).unwrap();
        let info = "StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 30\n";
        fs::write(folder.join("nix-cache-info"), info).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            folder: folder.to_owned(),
            requests: Arc::default(),
        };
        let (folder, requests) = (server.folder.clone(), Arc::clone(&server.requests));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (folder, requests) = (folder.clone(), Arc::clone(&requests));
                // A client may go away at any time.
                thread::spawn(move || drop(answer(stream, &folder, &requests)));
            }
        });
        server
    }

    /// The requests since the last call.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().drain(..).collect()
    }

    /// Forgets a store path.
    pub(crate) fn remove(&self, path: &str) {
        let name = path.rsplit('/').next().unwrap();
        let hash = name.split('-').next().unwrap();
        fs::remove_file(self.folder.join(format!("{hash}.narinfo"))).unwrap();
    }
}

fn answer(
    mut stream: TcpStream,
    folder: &Path,
    requests: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (Some(method), Some(path)) = (words.next(), words.next()) else {
        return Ok(());
    };
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let header = header.trim().to_lowercase();
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if header == "expect: 100-continue" {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        if header.is_empty() {
            break;
        }
    }
    requests.lock().unwrap().push(format!("{method} {path}"));
    let file = folder.join(path.trim_start_matches('/'));
    let (status, body) = if method == "PUT" {
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        fs::create_dir_all(file.parent().unwrap())?;
        fs::write(file, body)?;
        ("201 Created", Vec::new())
    } else {
        match fs::read(file) {
            Ok(body) => ("200 OK", body),
            Err(_) => ("404 Not Found", Vec::new()),
        }
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    if method != "HEAD" {
        stream.write_all(&body)?;
    }
    Ok(())
}
