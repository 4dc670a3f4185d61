//! watch: prints every program that begins to run, as one line: process id, user, command line.
//!
//!     rustc watch.rs -l bulkhead
//!     sudo ./watch [HOME]
//!
//! Bulkhead's C interface from Rust, without a crate: what is declared here is the part of bulkhead.h
//! that this program uses. `Client` owns the connection and borrows out one event at a time.

use std::ffi::{CStr, CString};
use std::io::{self, Write};
use std::os::raw::{c_char, c_int, c_uint};
use std::{env, process, ptr, slice};

/// The functions and structs of bulkhead.h, under their own names.
#[allow(non_camel_case_types)]
mod ffi {
    use super::*;

    #[repr(C)]
    pub struct bh_options {
        pub size: usize,
        pub name: *const c_char,
        pub home: *const c_char,
        pub token: *const c_char,
        pub socket: c_int,
        pub from: c_int,
        pub flags: c_uint,
        pub error: *mut c_char,
        pub error_size: usize,
    }

    #[repr(C)]
    pub struct bh_text {
        pub ptr: *const c_char,
        pub len: usize,
    }

    pub enum bh_client {}
    pub enum bh_event {}

    pub const BH_OK: c_int = 0;
    pub const BH_AGAIN: c_int = -1;

    extern "C" {
        pub fn bh_client_open(options: *const bh_options, out: *mut *mut bh_client) -> c_int;
        pub fn bh_client_close(client: *mut bh_client);
        pub fn bh_client_error(client: *const bh_client) -> *const c_char;
        pub fn bh_client_subscribe(client: *mut bh_client, types: u64) -> c_int;
        pub fn bh_client_next(client: *mut bh_client, out: *mut *const bh_event) -> c_int;
        pub fn bh_client_wait(client: *mut bh_client, timeout_ms: c_int) -> c_int;
        pub fn bh_event_number(event: *const bh_event, field: c_int) -> i64;
        pub fn bh_event_text(event: *const bh_event, field: c_int) -> bh_text;
        pub fn bh_type_by_name(name: *const c_char) -> c_int;
        pub fn bh_field_by_name(name: *const c_char) -> c_int;
    }
}

/// The number of a field or a type: asked by name, so that no table is copied here.
fn field(name: &str) -> c_int {
    let name = CString::new(name).expect("a name of ours");
    unsafe { ffi::bh_field_by_name(name.as_ptr()) }
}

fn type_bit(name: &str) -> u64 {
    let name = CString::new(name).expect("a name of ours");
    1 << unsafe { ffi::bh_type_by_name(name.as_ptr()) }
}

/// Lives until the next call of `Client::next`, which the borrow says.
struct Event<'a>(&'a ffi::bh_event);

impl<'a> Event<'a> {
    fn number(&self, field: c_int) -> i64 {
        unsafe { ffi::bh_event_number(self.0, field) }
    }

    /// Paths and arguments may hold any byte.
    fn text(&self, field: c_int) -> &'a [u8] {
        unsafe {
            let text = ffi::bh_event_text(self.0, field);
            slice::from_raw_parts(text.ptr.cast(), text.len)
        }
    }
}

struct Client(*mut ffi::bh_client);

impl Client {
    fn open(name: &str, home: Option<&str>) -> Result<Client, String> {
        let name = CString::new(name).map_err(|e| e.to_string())?;
        let home = home.map(CString::new).transpose().map_err(|e| e.to_string())?;
        let mut words = [0 as c_char; 256];
        let options = ffi::bh_options {
            size: std::mem::size_of::<ffi::bh_options>(),
            name: name.as_ptr(),
            home: home.as_ref().map_or(ptr::null(), |home| home.as_ptr()),
            token: ptr::null(),
            socket: 0,
            from: 0,
            flags: 0,
            error: words.as_mut_ptr(),
            error_size: words.len(),
        };
        let mut client = ptr::null_mut();
        if unsafe { ffi::bh_client_open(&options, &mut client) } == ffi::BH_OK {
            return Ok(Client(client));
        }
        Err(unsafe { CStr::from_ptr(words.as_ptr()) }.to_string_lossy().into_owned())
    }

    fn check(&self, result: c_int) -> Result<(), String> {
        if result == ffi::BH_OK {
            return Ok(());
        }
        let words = unsafe { CStr::from_ptr(ffi::bh_client_error(self.0)) };
        Err(words.to_string_lossy().into_owned())
    }

    fn subscribe(&mut self, types: u64) -> Result<(), String> {
        self.check(unsafe { ffi::bh_client_subscribe(self.0, types) })
    }

    /// The next event, waiting for it.
    fn next(&mut self) -> Result<Event<'_>, String> {
        let mut event = ptr::null();
        loop {
            match unsafe { ffi::bh_client_next(self.0, &mut event) } {
                ffi::BH_AGAIN => self.check(unsafe { ffi::bh_client_wait(self.0, -1) })?,
                result => {
                    self.check(result)?;
                    return Ok(Event(unsafe { &*event }));
                }
            }
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        unsafe { ffi::bh_client_close(self.0) }
    }
}

fn watch(home: Option<&str>) -> Result<(), String> {
    let (pid, user, line) = (field("pid"), field("user"), field("command_line"));
    let mut client = Client::open("watch-rust", home)?;
    client.subscribe(type_bit("process_exec"))?;
    let mut out = io::stdout();
    loop {
        let event = client.next()?;
        let mut text = format!("{} ", event.number(pid)).into_bytes();
        text.extend_from_slice(event.text(user));
        text.push(b' ');
        text.extend_from_slice(event.text(line));
        text.push(b'\n');
        out.write_all(&text).and_then(|()| out.flush()).map_err(|e| e.to_string())?;
    }
}

fn main() {
    let home = env::args().nth(1);
    if let Err(words) = watch(home.as_deref()) {
        eprintln!("watch: {}", words);
        process::exit(1);
    }
}
