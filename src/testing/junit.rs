//! What came of tests, as JUnit XML.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::suite::FileResult;
use super::words::case_words;

/// A suite per file, a test case per case; none when it cannot be written as XML.
pub fn results_junit(results: &[FileResult]) -> Option<String> {
    let mut report = Report::new("runner test");
    for file in results {
        let mut suite = TestSuite::new(file.file.as_str());
        for case in &file.cases {
            let status = match (&case.problem, case_words(file, case)) {
                (Some(problem), Some(words)) => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    if let Some(first) = problem.differences.first() {
                        status.set_message(format!(
                            "{}: expected {}, got {}",
                            first.about, first.expected, first.got
                        ));
                    }
                    status.set_description(words);
                    status
                }
                _ => TestCaseStatus::success(),
            };
            let mut made = TestCase::new(case.name.as_str(), status);
            made.set_classname(file.file.as_str());
            made.set_time(case.real);
            suite.add_test_case(made);
        }
        report.add_test_suite(suite);
    }
    report.to_string().ok()
}
