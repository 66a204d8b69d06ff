//! Why steps stand where they stand: what is recorded for it, and how it is told.

use runner::event::Event;

use crate::rig::Rig;

const CONDITIONS: &str = "\
playbook: 1
name: conditions
inputs: { lane: { type: string, default: green } }
steps:
  first: { set: { n: 3 } }
  held: { when: \"inputs.lane == 'green' and steps.first.n > 2\", set: { v: 1 } }
  always: { set: { v: 1 } }
";

#[test]
fn a_condition_that_held_is_recorded_with_its_values() {
    let ran = Rig::new(CONDITIONS, "passing").run();
    let because = |wanted: &str| {
        ran.events
            .iter()
            .find_map(|recorded| match &recorded.event {
                Event::StepStarted { step, because } if step == wanted => Some(because.clone()),
                _ => None,
            })
            .expect("the step began")
    };
    let words = "`inputs.lane == 'green' and steps.first.n > 2`, where `inputs.lane` is \"green\", \
                 `steps.first.n` is 3";
    assert_eq!(because("held").as_deref(), Some(words));
    assert_eq!(because("always"), None);
}
