//! Times as API Gateway writes them.

use crate::local_cloud::stamps;

/// `09/Apr/2015:12:34:56 +0000`, as in `$context.requestTime`, from milliseconds since 1970.
pub(super) fn request_time(millis: u64) -> String {
    // `Mon, 09 Apr 2015 12:34:56 GMT`
    let date = stamps::http_date(millis);
    let parts: Vec<&str> = date.split(' ').collect();
    match parts[..] {
        [_, day, month, year, time, _] => format!("{day}/{month}/{year}:{time} +0000"),
        _ => date,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_common_log_format() {
        assert_eq!(
            request_time(1_795_441_289_120),
            "23/Nov/2026:13:41:29 +0000"
        );
    }
}
