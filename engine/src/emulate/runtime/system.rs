//! The system: an environment without anything in it, a file system with nearly nothing, a clock
//! that stands still, and output that nobody reads.

use super::{Stub, fails, nothing, place, returns};
use crate::emulate::memory::THREAD;
use crate::emulate::objects::PLAIN;
use crate::emulate::process::{Arguments, Process, Reaction, Stop};

#[expect(clippy::too_many_lines, reason = "a list of functions")]
pub(super) fn find(name: &str) -> Option<Stub> {
    Some(match name {
        "getenv"
        | "secure_getenv"
        | "__secure_getenv"
        | "getcwd"
        | "dlerror"
        | "dladdr"
        | "getauxval"
        | "fopen"
        | "fopen64"
        | "opendir"
        | "setenv"
        | "unsetenv"
        | "putenv"
        | "signal"
        | "sigaction"
        | "sigemptyset"
        | "sigfillset"
        | "sigaddset"
        | "sigprocmask"
        | "atexit"
        | "getuid"
        | "geteuid"
        | "getgid"
        | "getegid"
        | "fclose"
        | "close"
        | "fflush"
        | "fputs"
        | "puts"
        | "putchar"
        | "fputc"
        | "putc"
        | "_IO_putc"
        | "printf"
        | "fprintf"
        | "vfprintf"
        | "vprintf"
        | "perror"
        | "setvbuf"
        | "__printf_chk"
        | "__fprintf_chk"
        | "__vfprintf_chk"
        | "clock"
        | "getrusage"
        | "srand"
        | "srandom"
        | "rand"
        | "random"
        | "ferror"
        | "feof"
        | "fileno"
        | "setbuf"
        | "tzset"
        | "feclearexcept"
        | "fesetround"
        | "fegetround"
        | "fetestexcept"
        | "prctl"
        | "getentropy"
        | "openlog"
        | "closelog"
        | "syslog"
        | "backtrace"
        | "_dyld_register_func_for_add_image" => nothing,
        "open" | "open64" => open,
        "access"
        | "stat"
        | "lstat"
        | "lstat64"
        | "stat64"
        | "__xstat"
        | "__xstat64"
        | "__lxstat"
        | "__lxstat64"
        | "__fxstat"
        | "__fxstat64"
        | "fstat"
        | "fstat64"
        | "readlink"
        | "uname"
        | "sched_getaffinity"
        | "pthread_getaffinity_np"
        | "pthread_setaffinity_np"
        | "sched_getcpu"
        | "ioctl"
        | "getrlimit"
        | "sysinfo"
        | "sysctl"
        | "sysctlbyname"
        | "syscall"
        | "fcntl"
        | "mkdir"
        | "unlink"
        | "getaddrinfo"
        | "socket"
        | "shm_open" => fails,
        "write" | "fwrite" => |_, arguments| returns(arguments.registers[2]),
        "read" => |process, arguments| {
            let [file, place, size, ..] = arguments.registers;
            if file == RANDOM_DEVICE { randomise(process, place, size) } else { returns(0) }
        },
        "fread" => nothing,
        "getpid" | "gettid" | "getppid" => |_, _| returns(4242),
        "getpagesize" => |_, _| returns(4096),
        "get_nprocs" | "get_nprocs_conf" => |_, _| returns(4),
        "sysconf" => |_, arguments| {
            returns(match arguments.registers[0] {
                // The page's size and the number of processors on Linux and macOS.
                29 | 30 => 4096,
                57 | 58 | 83 | 84 => 4,
                _ => u64::MAX,
            })
        },
        "clock_gettime" | "clock_getres" => {
            |process, arguments| write_time(process, arguments.registers[1])
        }
        "gettimeofday" => |process, arguments| write_time(process, arguments.registers[0]),
        "time" => |process, arguments| {
            if arguments.registers[0] != 0 {
                process.memory.write_word(arguments.registers[0], NOW)?;
            }
            returns(NOW)
        },
        "mach_absolute_time" | "clock_gettime_nsec_np" => |_, _| returns(NOW),
        "mach_timebase_info" => |process, arguments| {
            process.memory.write(arguments.registers[0], &[1, 0, 0, 0, 1, 0, 0, 0])?;
            returns(0)
        },
        "getrandom" => |process, arguments| {
            let [place, size, ..] = arguments.registers;
            randomise(process, place, size)
        },
        "arc4random" => |_, _| returns(4),
        "setlocale" | "nl_langinfo" => |process, _| returns(place(process, b"C")?),
        // Of zlib, which wheels may leave to the system (PEP 600).
        "zlibVersion" => |process, _| returns(place(process, b"1.3.1")?),
        "strerror" => |process, _| returns(place(process, b"error")?),
        "newlocale" | "uselocale" | "__newlocale" | "__uselocale" | "duplocale" | "localeconv" => {
            |process, _| returns(process.singleton("locale", PLAIN))
        }
        "freelocale" => nothing,
        "__errno_location" | "__error" | "___errno" => |_, _| returns(THREAD + 0x800),
        "dlopen" => |process, _| {
            let library = process.singleton("loaded library", PLAIN);
            returns(process.choose(library, 0))
        },
        "dlclose" => nothing,
        // Probes the stack, by a convention of its own.
        "__chkstk_darwin" | "___chkstk_darwin" => |_, _| Ok(Reaction::Keep),
        "setjmp" | "_setjmp" | "sigsetjmp" | "__sigsetjmp" => nothing,
        "longjmp" | "_longjmp" | "siglongjmp" | "__longjmp_chk" => {
            |_, _| Err(Stop::Failure("the hook jumps out of itself".to_owned()))
        }
        "dlsym" | "dlvsym" => |process, arguments| {
            // Functions that are followed can be got hold of in this way too.
            let name = process.memory.text(arguments.registers[1])?;
            let name = String::from_utf8_lossy(&name).into_owned();
            if crate::emulate::process::is_outside(process.system, &name) {
                return returns(process.memory.symbol(&name));
            }
            returns(0)
        },
        "__stack_chk_fail" | "abort" | "exit" | "_exit" | "quick_exit" | "__assert_fail"
        | "__assert_rtn" | "__chk_fail" | "__fortify_fail" | "raise" | "kill" => {
            |_, _| Err(Stop::Failure("the hook ends the process".to_owned()))
        }
        _ => return None,
    })
}

/// The number of the one file that can be opened.
const RANDOM_DEVICE: u64 = 3;

/// No file is there but for the device that random numbers are read from, which every system has.
fn open(process: &mut Process<'_, '_, '_>, arguments: &Arguments) -> Result<Reaction, Stop> {
    let path = process.memory.text(arguments.registers[0])?;
    let is_random = matches!(path.as_slice(), b"/dev/urandom" | b"/dev/random");
    returns(if is_random { RANDOM_DEVICE } else { u64::MAX })
}

/// Gives zeros for random numbers, as many as were asked for or as a call gives at most.
fn randomise(process: &mut Process<'_, '_, '_>, place: u64, size: u64) -> Result<Reaction, Stop> {
    let size = size.min(4096);
    process.memory.write(place, &vec![0; usize::try_from(size).unwrap_or(0)])?;
    returns(size)
}

/// Some time that is not 0.
const NOW: u64 = 1_700_000_000;

/// Seconds and a fraction of none.
fn write_time(process: &mut Process<'_, '_, '_>, place: u64) -> Result<Reaction, Stop> {
    if place != 0 {
        process.memory.write_word(place, NOW)?;
        process.memory.write_word(place.wrapping_add(8), 0)?;
    }
    returns(0)
}
