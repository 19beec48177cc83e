//! The exit codes; scripts rely on them.

use std::process::ExitCode;

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: failed, or declined at the question; also a bad flag.
    Failed,
    /// 2: there are changes (only with `--detailed-exitcode`), or there is drift.
    Changes,
    /// 3: the stack file is wrong.
    Invalid,
    /// 4: another run holds the state's lock.
    Locked,
    /// 5: a saved plan is stale.
    Stale,
    /// 130: interrupted.
    Interrupted,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Changes => 2,
            Self::Invalid => 3,
            Self::Locked => 4,
            Self::Stale => 5,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The exit codes as the help lists them.
pub(crate) const HELP: &str = "\
Exit codes:
  0    done
  1    failed, declined, or a bad flag
  2    there are changes (with --detailed-exitcode), or drift
  3    the stack file is wrong
  4    another run holds the state's lock
  5    the saved plan is stale: what it was decided on has changed
  130  interrupted";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_every_code() {
        let all = [
            Exit::Done,
            Exit::Failed,
            Exit::Changes,
            Exit::Invalid,
            Exit::Locked,
            Exit::Stale,
            Exit::Interrupted,
        ];
        let told: Vec<u8> = HELP
            .lines()
            .filter_map(|line| line.split_whitespace().next()?.parse().ok())
            .collect();
        assert_eq!(told, all.map(Exit::code));
    }
}
