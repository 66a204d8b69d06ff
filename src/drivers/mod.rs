//! What carries the machine's commands out.
//!
//! One session works on one run until it ends or is parked: it gives the machine facts, records the
//! events, and starts what the machine commands. It decides nothing itself. `local` runs it on the real
//! clock, `virtual_time` on tokio's paused one; machine, effects and session are the same.

mod gate;
mod in_process;
mod journal;
mod local;
mod remembered;
mod replay;
mod session;
mod timers;
mod virtual_time;

pub use in_process::{InProcessTransport, InProcessWeb};
pub use local::run as run_local;
pub use remembered::Remembered;
pub use replay::replayed;
pub use session::{Conditions, Finish, Observer, Session, SessionError, StopRequest};
pub use virtual_time::run as run_virtual;
