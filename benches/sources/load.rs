//! Asks a server as fast as it answers.
//!
//! The client shares the cores with the server, so it does as little as HTTP allows: it writes the same bytes again and again and counts what
//! comes back.

use std::io;
use std::net::SocketAddr;

use futures::future::try_join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Connections that ask at once.
const CONNECTIONS: usize = 8;

/// Asks `path` so many times, with a token, over a few connections. Gives the size of an answer.
///
/// # Errors
/// When the connection breaks, and when an answer is no success or has no length.
pub async fn ask(server: SocketAddr, path: &str, token: &str, times: usize) -> io::Result<usize> {
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: {server}\r\nauthorization: Bearer {token}\r\n\r\n");
    let connections = (0..CONNECTIONS).map(|_| connection(server, &request, times / CONNECTIONS));
    let sizes = try_join_all(connections).await?;
    sizes
        .first()
        .copied()
        .ok_or(io::ErrorKind::InvalidInput.into())
}

/// How many calls [`ask`] makes when it is asked for so many: the same number over each connection.
pub fn made(times: usize) -> usize {
    times / CONNECTIONS * CONNECTIONS
}

async fn connection(server: SocketAddr, request: &str, times: usize) -> io::Result<usize> {
    let mut stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; 256 * 1024];
    let mut size = 0;
    for _ in 0..times {
        stream.write_all(request.as_bytes()).await?;
        size = answer(&mut stream, &mut buffer).await?;
    }
    Ok(size)
}

/// Reads one answer and gives the size of its body.
async fn answer(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    let (body_at, length) = loop {
        if let Some(head) = head(&buffer[..filled])? {
            break head;
        }
        let read = stream.read(&mut buffer[filled..]).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        filled += read;
    };
    let mut missing = (body_at + length).saturating_sub(filled);
    while missing > 0 {
        let most = missing.min(buffer.len());
        let read = stream.read(&mut buffer[..most]).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        missing -= read;
    }
    Ok(length)
}

/// Where the body of an answer begins and how long it is; none while the head is not complete.
fn head(bytes: &[u8]) -> io::Result<Option<(usize, usize)>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    if !text.starts_with("http/1.1 200 ") {
        return Err(io::Error::other(format!("refused: {text}")));
    }
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    match length {
        Some(length) => Ok(Some((end + 4, length))),
        None => Err(io::Error::other("an answer without a length")),
    }
}
