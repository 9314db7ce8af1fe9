//! `pu spec search`: what the index finds for a text, and by what.

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render::{self, View};
use pu_protocol::{Answer, Request};

/// Search the specs as plugins do: the best first, with the words that match and what each field contributes
///
/// The fields are `body`, `title`, `path`, `headings`, `tags`, `lead` (the first words), `section` (the best one) and `near`
/// (words that stand together). What a task would be given is another question: `pu context explain` answers it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  pu spec search \"refresh token race\"
  pu spec search --field title --field body=0.5 -n 3 invoices
  pu spec search --json \"refresh token race\"")]
pub(crate) struct Args {
    /// What to search for; the first line counts twice, and ids such as AUTH-001 come first.
    #[arg(required = true, value_name = "TEXT")]
    words: Vec<String>,
    /// A field that counts, and how much (1 without a weight); may be repeated [default: the ranking as it is].
    #[arg(long = "field", value_name = "FIELD[=WEIGHT]", value_parser = field)]
    fields: Vec<(String, f32)>,
    /// How many specs to show at most; there are never more than 200.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    limit: u32,
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let reply = invocation.ask(&Request::SpecSearch {
            cwd: invocation.cwd.clone(),
            text: self.words.join(" "),
            fields: self.fields.iter().cloned().collect(),
            limit: Some(self.limit),
        })?;
        let Answer::SpecSearchReport { hits } = &reply.answer else {
            return Err(invocation.mismatch("spec_search", &reply.answer));
        };
        invocation.show(&reply, || render::spec::hits(hits, &View::new(invocation.style)))?;
        Ok(Outcome::DONE)
    }
}

/// `title=2`, or `title` alone.
fn field(typed: &str) -> Result<(String, f32), String> {
    let Some((name, weight)) = typed.split_once('=') else { return Ok((typed.to_owned(), 1.0)) };
    match weight.parse::<f32>() {
        Ok(weight) if weight.is_finite() && weight >= 0.0 => Ok((name.to_owned(), weight)),
        _ => Err(format!("{weight:?} is no weight: it must be a number that is not below 0")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_may_have_a_weight() {
        assert_eq!(field("title"), Ok(("title".to_owned(), 1.0)));
        assert_eq!(field("body=0.5"), Ok(("body".to_owned(), 0.5)));
        for typed in ["body=", "body=much", "body=-1", "body=nan"] {
            assert!(field(typed).is_err(), "{typed}");
        }
    }
}
