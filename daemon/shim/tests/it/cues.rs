//! What an agent is doing: heard in its output, told by its hooks, and passed on to those who ask after it.

use pu_protocol::activity::{Doing, Source};
use pu_protocol::frame::{ClientFrame, Cue, Hello, Mode, ShimFrame};
use pu_record::launch::TitleRule;

use crate::world::{Client, script};

fn cue(client: &mut Client) -> Cue {
    client.until(|frame| if let ShimFrame::Cue(cue) = frame { Some(cue) } else { None })
}

#[test]
fn a_program_that_asks_is_answered_and_what_it_says_is_told_late_comers_too() {
    let text = "stty raw -echo; printf '\\033]7501;?\\033\\\\'; echo \"got $(head -c 14 | cat -v)\"; \
                printf '\\033]7501;state=blocked:kind=permission\\033\\\\said'; head -c 1; \
                printf '\\033]7501;state=working\\033\\\\'; head -c 1";
    let agent = script(text).start();
    agent.wait_for_output("got ^[]7501;?;v=1^[\\");
    agent.wait_for_output("said");
    let mut client = agent.control();
    let blocked = cue(&mut client);
    assert_eq!((blocked.source, blocked.state), (Source::ProgramStatus, Some(Doing::Blocked)));
    assert_eq!((blocked.why.as_deref(), blocked.at.ends_with('Z')), (Some("permission"), true), "{blocked:?}");
    client.send(&ClientFrame::Input(b"x"));
    assert_eq!(cue(&mut client).state, Some(Doing::Working));
}

#[test]
fn a_hook_tells_the_shim_and_a_title_is_read_by_the_rules_of_the_launch() {
    let mut launch = script("printf '\\033]0;* busy\\007titled'; read line");
    let rule = TitleRule { state: Doing::Working, first: "*".into(), contains: String::new() };
    launch.record.titles = vec![rule];
    let agent = launch.start();
    agent.wait_for_output("titled");
    let mut listening = agent.control();
    let title = cue(&mut listening);
    assert_eq!((title.source, title.state), (Source::Title, Some(Doing::Working)));

    let told = Cue { source: Source::Life, state: Some(Doing::Done), rule: "Stop".into(), ..Cue::default() };
    let mut hook = agent.control();
    hook.send(&ClientFrame::Cue(told.clone()));
    hook.done("cue");
    let heard = cue(&mut listening);
    assert_eq!((heard.source, heard.state, heard.rule.as_str()), (Source::Hook, Some(Doing::Done), "Stop"));

    let mut looking = agent.connect(Hello { read_only: true, ..Hello::new("test", Mode::Control) });
    looking.welcome();
    looking.send(&ClientFrame::Cue(told));
    assert_eq!(looking.refused(), "read_only");
}

#[test]
fn the_hooks_of_an_agent_find_its_own_shim() {
    let mut launch = script("echo \"at $PU_SHIM_SOCKET.\"; read line");
    launch.env.push(("PU_SHIM_SOCKET".into(), "/of/an/outer/agent".into()));
    let agent = launch.start();
    agent.wait_for_output(&format!("at {}.", agent.record.socket.display()));
}
