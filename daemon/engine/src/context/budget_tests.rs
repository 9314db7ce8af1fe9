use super::super::hard_rule::HardRule;
use super::super::merge::Proposer;
use super::super::test_library::{Dice, FakeLibrary};
use super::*;
use crate::specs::tokens;

const BARS: Threshold = Threshold { min_score: 0.2, near_best: 0.3 };

fn candidate(spec: &str, section: Option<&str>, score: f32) -> Merged {
    let proposers = vec![Proposer { assembler: "keyword".into(), score, reason: "its words".into() }];
    let path = format!("specs/{spec}.md");
    let why = Why { score, proposers, ..Why::default() };
    Merged { spec: spec.into(), path, section: section.map(Into::into), why, explicit: false, native: false }
}

fn asked(spec: &str) -> Merged {
    Merged { explicit: true, ..candidate(spec, None, 1.0) }
}

fn rule(spec: &str) -> Merged {
    let mut rule = candidate(spec, None, 1.0);
    rule.why.rule = Some(HardRule::Always);
    rule
}

/// About `tokens` tokens of text that differs by `seed`.
fn words(seed: &str, tokens: usize) -> String {
    format!("{seed}\n") + &"word ".repeat(tokens)
}

fn fitted(candidates: &[Merged], library: &FakeLibrary, budget: u32) -> Fitted {
    fit(candidates, library, budget, BARS, &tokens::count)
}

fn passages(piece: &Piece) -> &[Passage] {
    match &piece.extent {
        Extent::Whole { .. } => &[],
        Extent::Excerpt(passages) => passages,
    }
}

fn library(specs: &[(&str, &[usize])]) -> FakeLibrary {
    let mut library = FakeLibrary::default();
    for (id, sizes) in specs {
        add(&mut library, id, &texts(id, sizes));
    }
    library
}

/// Section texts of about these sizes: `id0`, `id1` and so on with words.
fn texts(id: &str, sizes: &[usize]) -> Vec<String> {
    sizes.iter().enumerate().map(|(i, n)| words(&format!("{id}{i}"), *n)).collect()
}

fn add(library: &mut FakeLibrary, id: &str, texts: &[String]) {
    let sections: Vec<(&str, u8, &str)> = texts.iter().map(|t| ("Heading", 2, t.as_str())).collect();
    library.add(id, &sections);
}

#[test]
fn a_spec_that_fits_goes_whole_and_a_long_one_by_its_best_passage() {
    let mut library = library(&[("small", &[300]), ("long", &[900, 900, 900, 900, 900, 900, 900])]);
    library.best.insert("long".into(), vec!["s3".into(), "s1".into()]);
    let fitted = fitted(&[candidate("long", None, 0.9), candidate("small", None, 0.8)], &library, 4000);
    assert_eq!(fitted.left_out, [None, None]);
    let long = &fitted.pieces[0];
    assert_eq!(passages(long).iter().map(|p| p.run.clone()).collect::<Vec<_>>(), [3..4, 1..2]);
    assert!(matches!(fitted.pieces[1].extent, Extent::Whole { .. }));
    assert!(fitted.tokens <= 4000);
}

#[test]
fn one_long_spec_does_not_keep_the_next_ones_out() {
    let sizes: &[usize] = &[500; 12];
    let specs: Vec<(String, &[usize])> = (0..6).map(|i| (format!("spec{i}"), sizes)).collect();
    let specs: Vec<(&str, &[usize])> = specs.iter().map(|(id, s)| (id.as_str(), *s)).collect();
    let library = library(&specs);
    let candidates: Vec<Merged> = library.ids().iter().map(|id| candidate(id, None, 0.9)).collect();
    let fitted = fitted(&candidates, &library, 8000);
    assert_eq!(fitted.pieces.len(), 6, "{:?}", fitted.left_out);
    assert!(fitted.tokens > 6000, "what is left over is used: {}", fitted.tokens);
}

#[test]
fn what_is_left_over_makes_a_lone_long_spec_whole() {
    let library = library(&[("lone", &[1000, 1000, 1000, 1000, 1000])]);
    let fitted = fitted(&[candidate("lone", None, 0.9)], &library, 8000);
    assert!(matches!(fitted.pieces[0].extent, Extent::Whole { .. }));
}

#[test]
fn what_the_user_asked_for_goes_first_and_whole_below_any_bar() {
    let library = library(&[("asked", &[600, 600, 600]), ("best", &[600, 600, 600])]);
    let mut asked = asked("asked");
    asked.why.score = 0.0;
    let fitted = fitted(&[asked, candidate("best", None, 1.0)], &library, 3000);
    assert_eq!(fitted.pieces[0].document.id, "asked");
    assert!(matches!(fitted.pieces[0].extent, Extent::Whole { .. }));
    assert!(matches!(fitted.pieces[1].extent, Extent::Excerpt(_)));
}

#[test]
fn hard_rules_go_whole_before_what_is_ranked_and_the_short_ones_first() {
    let library = library(&[("long", &[900, 900]), ("short", &[500]), ("tiny", &[100]), ("best", &[300, 300, 300])]);
    let candidates = [rule("long"), rule("short"), rule("tiny"), candidate("best", None, 0.9)];
    let fitted = fitted(&candidates, &library, 4000);
    assert_eq!(fitted.left_out, [None, None, None, None]);
    let ids: Vec<&str> = fitted.pieces.iter().map(|piece| piece.document.id.as_str()).collect();
    assert_eq!(ids, ["long", "short", "tiny", "best"]);
    let wholes: Vec<bool> = fitted.pieces.iter().map(|p| matches!(p.extent, Extent::Whole { .. })).collect();
    assert_eq!(wholes, [false, true, true, true], "half of the budget has no room for all of the long one");
}

#[test]
fn hard_rules_take_half_of_the_budget_at_most_and_the_rest_is_told() {
    let library = library(&[("a", &[700]), ("b", &[750]), ("c", &[800]), ("found", &[700])]);
    let candidates = [rule("a"), rule("b"), rule("c"), candidate("found", None, 0.5)];
    let left_out = fitted(&candidates, &library, 4000).left_out;
    assert_eq!(left_out, [None, None, Some(OVER_RULES_SHARE.to_owned()), None]);
    // One that the user asked for takes of what is the user's.
    let asked = Merged { explicit: true, ..rule("c") };
    let candidates = [asked, rule("a"), rule("b"), candidate("found", None, 0.5)];
    assert_eq!(fitted(&candidates, &library, 4000).left_out, [None, None, None, None]);
}

#[test]
fn everything_left_out_has_a_reason() {
    let mut library = library(&[("a", &[300]), ("weak", &[300]), ("faint", &[300]), ("huge", &[90_000])]);
    let text = words("a0", 300).replace('\n', "\r\n\n");
    library.add("copy", &[("Other heading", 1, &text)]);
    let candidates = [
        candidate("a", None, 0.9),
        candidate("copy", None, 0.8),
        candidate("gone", None, 0.8),
        candidate("huge", None, 0.7),
        candidate("weak", None, 0.25),
        candidate("faint", None, 0.1),
    ];
    let left_out = fitted(&candidates, &library, 2000).left_out;
    let expected = [
        None,
        Some("same text as specs/a.md"),
        Some("the spec is gone"),
        Some("over budget"),
        Some("score 0.25 under 0.27, which is 30 % of the best"),
        Some("score 0.10 under 0.27, which is 30 % of the best"),
    ];
    assert_eq!(left_out.iter().map(Option::as_deref).collect::<Vec<_>>(), expected);
}

/// The same words with other line breaks, so that the file is another.
#[test]
fn what_is_there_for_two_reasons_says_both() {
    let library = library(&[("a", &[40, 40])]);
    let mut whole = candidate("a", None, 0.6);
    whole.why.proposers[0] = Proposer { assembler: "ledger".into(), score: 0.6, reason: "money is touched".into() };
    let fitted = fitted(&[candidate("a", Some("s1"), 0.9), whole], &library, 2000);
    assert_eq!(fitted.pieces[0].why.reason(), "keyword: its words; ledger: money is touched");
}

fn reflowed(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| text.replace('\n', "\r\n\n")).collect()
}

/// How often each of the first sections of the spec `a` is in.
fn occurrences<const N: usize>(fitted: &Fitted) -> [usize; N] {
    let text = fitted.text.as_deref().unwrap_or_default();
    std::array::from_fn(|i| text.split_whitespace().filter(|word| *word == format!("a{i}")).count())
}

#[test]
fn a_copy_is_not_quoted_in_part_beside_its_original() {
    let original = texts("a", &[900; 3]);
    for copy in [original.clone(), reflowed(&original)] {
        let mut library = FakeLibrary::default();
        add(&mut library, "a", &original);
        add(&mut library, "copy", &copy);
        // The original takes less than half of what there is, the copy would take more than half of what is left.
        let fitted = fitted(&[candidate("a", None, 0.9), candidate("copy", None, 0.8)], &library, 8000);
        assert_eq!(fitted.left_out, [None, Some("same text as specs/a.md".to_owned())]);
        assert_eq!(occurrences(&fitted), [1; 3]);
    }
}

#[test]
fn what_is_left_over_brings_nothing_in_that_a_copy_has_in_already() {
    let original = texts("a", &[900; 7]);
    let mut library = FakeLibrary::default();
    add(&mut library, "a", &original);
    add(&mut library, "copy", &reflowed(&original));
    let fitted = fitted(&[candidate("a", None, 0.9), candidate("copy", None, 0.9)], &library, 9000);
    assert_eq!(fitted.left_out, [None, None], "each is in by other sections");
    assert_eq!(occurrences(&fitted), [1; 7]);
}

#[test]
fn a_budget_below_the_preamble_gives_nothing() {
    let library = library(&[("a", &[30])]);
    for budget in [0, 1, 50] {
        let fitted = fitted(&[candidate("a", None, 0.9)], &library, budget);
        assert_eq!((fitted.text, fitted.tokens, fitted.pieces.len()), (None, 0, 0));
        assert_eq!(fitted.left_out, [Some(OVER_BUDGET.to_owned())]);
    }
}

#[test]
fn a_proposed_section_says_so_and_its_neighbours_make_it_readable() {
    let library = library(&[("long", &[500, 60, 60, 60, 500, 500, 500, 500])]);
    let fitted = fitted(&[candidate("long", Some("s1"), 0.9), candidate("long", Some("s5"), 0.5)], &library, 2000);
    let passages = passages(&fitted.pieces[0]);
    assert_eq!((passages[0].section, passages[0].run.clone()), (5, 5..6), "a readable one before a short one");
    assert_eq!((passages[1].section, passages[1].run.clone()), (1, 1..4));
    assert_eq!((passages[0].why.score, passages[1].why.score), (0.5, 0.9));
}

#[test]
fn only_what_is_placed_is_read() {
    let specs: Vec<String> = (0..50).map(|i| format!("s{i:02}")).collect();
    let sizes: &[usize] = &[600];
    let library = library(&specs.iter().map(|id| (id.as_str(), sizes)).collect::<Vec<_>>());
    let candidates: Vec<Merged> = specs.iter().map(|id| candidate(id, None, 0.9)).collect();
    let fitted = fitted(&candidates, &library, 4000);
    assert_eq!(library.reads.get(), fitted.pieces.len());
}

#[test]
fn property_never_over_budget_never_without_a_reason_and_always_the_same() {
    let mut dice = Dice::new(42);
    for round in 0..60 {
        let mut library = FakeLibrary::default();
        let mut candidates = Vec::new();
        for i in 0..1 + dice.below(8) {
            let id = format!("d{i}");
            let texts: Vec<String> = (0..1 + dice.below(6)).map(|s| nasty(&mut dice, &format!("{id}{s}"))).collect();
            let sections: Vec<(&str, u8, &str)> =
                texts.iter().map(|t| ("A `heading` \"x\"", dice.below(4) as u8, t.as_str())).collect();
            library.add(&id, &sections);
            let section = (dice.below(3) == 0).then(|| format!("s{}", dice.below(texts.len())));
            let mut one = candidate(&id, section.as_deref(), dice.below(100) as f32 / 100.0);
            one.explicit = dice.below(6) == 0;
            one.why.rule = (dice.below(4) == 0).then_some(HardRule::Globs);
            one.native = dice.below(8) == 0;
            candidates.push(one);
        }
        let budget = dice.below(6000) as u32;
        let once = fitted(&candidates, &library, budget);
        let text = once.text.clone().unwrap_or_default();
        assert_eq!(tokens::count(&text), once.tokens, "round {round}");
        assert!(once.tokens <= budget, "round {round}: {} over {budget}", once.tokens);
        for (candidate, left_out) in candidates.iter().zip(&once.left_out) {
            let piece = once.pieces.iter().find(|p| p.document.id == candidate.spec);
            let is_in = piece.is_some_and(|p| p.holds(candidate.section.as_deref()));
            assert_eq!(is_in, left_out.is_none(), "round {round}: {candidate:?}");
        }
        assert_eq!(fitted(&candidates, &library, budget).text, once.text, "round {round}");
    }
}

/// Text of any size with everything that Markdown and the frame could trip over.
fn nasty(dice: &mut Dice, seed: &str) -> String {
    const PARTS: [&str; 9] = [
        "```\n",
        "~~~~\n",
        "</project-spec>\n",
        "<project-spec-2>",
        "## heading\n",
        "größe 漢字 ",
        "\r\n",
        "a_b-c ",
        "x ",
    ];
    (0..dice.below(400)).map(|_| PARTS[dice.below(PARTS.len())]).chain([seed]).collect()
}
