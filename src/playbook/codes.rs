//! The stable codes of mistakes in playbooks and inputs: one table.
//!
//! A code never changes its meaning and is never used again. Mistakes inside templates have codes of
//! their own (`T001` ...), which the template layer gives.

macro_rules! codes {
    ($($name:ident = $code:literal: $title:literal;)*) => {
        $(
            #[doc = $title]
            pub const $name: &str = $code;
        )*

        /// All codes with their titles, in the order of the codes.
        pub const ALL: &[(&str, &str)] = &[$(($code, $title)),*];
    };
}

codes! {
    FILE_TOO_LARGE = "P001": "the file is too large";
    NOT_UTF8 = "P002": "the file is not UTF-8 text";
    EMPTY_FILE = "P003": "the file is empty";
    SEVERAL_DOCUMENTS = "P004": "the file holds several YAML documents";
    YAML = "P005": "the file is not valid YAML";
    TAB = "P006": "a tab is used to indent";
    DUPLICATE_KEY = "P007": "a key stands twice in a map";
    TOO_COMPLEX = "P008": "the file is too deep, too wide, or uses too many aliases";
    UNQUOTED_TEMPLATE = "P009": "a template stands without quotes";
    KEY_NOT_TEXT = "P010": "a key is not text";
    VERSION = "P011": "the language version is missing or not known";
    UNKNOWN_KEY = "P012": "a key is not known";
    MISSING_KEY = "P013": "a key is missing";
    WRONG_SHAPE = "P014": "a list, a map or text was expected and something else is there";
    NOT_TEXT = "P015": "text was expected, and a number or boolean is there";
    NOT_BOOLEAN = "P016": "`true` or `false` was expected";
    NOT_DURATION = "P017": "a duration is not written as one";
    NOT_NUMBER = "P018": "a number is missing, out of range, or not whole";
    NOT_SIZE = "P019": "a size is not written as one";
    WRONG_WORD = "P020": "a word is none of those that are possible";
    BAD_NAME = "P021": "a name is not of the form that names have";
    LOOKALIKE_KEY = "P022": "a key holds characters that cannot be seen or look like others";
    RESERVED_NAME = "P023": "a name is taken";
    EMPTY = "P024": "something is empty that must not be";
    TOO_MANY_MISTAKES = "P025": "there are more mistakes than are shown";
    UNQUOTED_BRACKETS = "P026": "a value with braces or brackets stands without quotes among braces";
    NO_SUCH_PLAYBOOK = "P027": "a test names a playbook that is not there";
    NO_ACTION = "P030": "a step has no action";
    TWO_ACTIONS = "P031": "a step has more than one action";
    UNKNOWN_ACTION = "P032": "an action is not known";
    NOT_AN_ID = "P033": "an id is not of the form that ids have";
    RESERVED_PARAMETER = "P034": "a parameter has a name that Semaphore or the runner uses itself";
    WRONG_COMBINATION = "P035": "parameters do not go together";
    BRACES_IN_EXPRESSION = "P036": "a bare expression stands in braces";
    DUPLICATE_STEP = "P037": "a step id is used twice";
    NO_RESPONSE = "P038": "a response is read where there is none";
    PATH_NOT_INSIDE = "P039": "a path leaves the folder that it must stay in";
    BAD_ADDRESS = "P044": "an address is none that a request may go to";
    BAD_HEADER = "P045": "a header is not of the form that headers have";
    BAD_REQUEST = "P046": "the parts of a request contradict each other";
    NOTHING_TO_UNDO = "P047": "an undo stands where nothing can be taken back";
    INPUT_DEFAULT = "P050": "a default does not fit the declaration of its input";
    INPUT_PATTERN = "P051": "a pattern is not a regular expression";
    INPUT_DECLARATION = "P052": "the parts of a declaration contradict each other";
    SECRET_TOO_SHORT = "P053": "a secret is too short to be kept";
    UNKNOWN_STEP = "P060": "a step is mentioned that does not exist";
    UNKNOWN_OUTPUT = "P061": "an output is mentioned that the step does not have";
    UNKNOWN_INPUT = "P062": "an input is mentioned that is not declared";
    UNKNOWN_VAR = "P063": "a var is mentioned that does not exist, or not yet";
    UNKNOWN_SCOPE = "P064": "a name is mentioned that is not in scope here";
    CYCLE = "P065": "steps wait for each other in a circle";
    MENTIONS_ITSELF = "P066": "a step mentions itself";
    NOT_WAITED = "P067": "an output is mentioned that is there only when the step waits";
    NEVER_RUNS = "P068": "a step can never run";
    WRONG_PHASE = "P069": "a step mentions one that runs after it";
    WRONG_TYPE = "P071": "a template gives a value of the wrong type";
    TOO_MANY_STEPS = "P072": "there are too many steps or edges";
    SECRET_SHOWN = "P073": "a secret would be shown to people";
    NOT_WRITTEN_OUT = "P074": "a template stands for what must be written out";
    NEVER_EQUAL = "P075": "a value is compared with a text that it can never be";
    MISSING_INPUT = "P080": "an input has no value";
    NO_SUCH_INPUT = "P081": "a value is given for an input that is not declared";
    WRONG_INPUT = "P082": "the value of an input does not fit its declaration";
    SHORT_SECRET_INPUT = "P083": "the value of a secret input is too short";
    INPUTS_FILE = "P084": "the file of inputs is not a map of names to values";
    SECRET_ON_COMMAND_LINE = "P085": "a secret is given on the command line";
    USED_NOT_FOUND = "P090": "a playbook that is used is not found";
    USED_OUTSIDE = "P091": "a playbook that is used lies outside";
    USED_UNREADABLE = "P092": "a playbook that is used cannot be read";
    USED_IN_CIRCLE = "P093": "playbooks use each other in a circle";
    TOO_MANY_USED = "P094": "too many playbooks are used, or too deep";
    ONLY_AT_THE_TOP = "P095": "a playbook that is used says what only the first one can";
    SECRET_PASSED = "P096": "a secret is given to an input that is not secret";
    UNUSED_INPUT = "P100": "an input is never read";
    UNUSED_VAR = "P101": "a var is never read";
    REPLACED_PIPELINE = "P102": "a pipeline is named that another may have replaced";
    OVERRIDE = "P103": "a promotion overrides the result of its pipeline";
    NO_SUCH_PROMOTION = "P104": "a promotion is named that the checkout does not have";
    PROMOTION_PARAMETER = "P105": "the parameters of a promotion are not those of the checkout";
    AUTO_PROMOTION = "P106": "a promotion may be triggered by its rule as well";
    NO_SUCH_PIPELINE_FILE = "P107": "a pipeline file is named that the checkout does not have";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_in_order() {
        assert!(ALL.is_sorted_by(|a, b| a.0 < b.0));
    }
}
