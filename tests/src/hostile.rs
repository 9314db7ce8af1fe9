//! Plugins that misbehave, each in one way: components of the real contract whose `assemble` is written by hand.

/// How a plugin misbehaves.
#[derive(Debug, Clone, Copy)]
pub enum Hostile {
    /// It never answers.
    Loops,
    /// It takes memory without end.
    TakesMemory,
    /// It traps at once.
    Traps,
    /// It wants to see the machine's clock.
    ImportsWasi,
    /// Its answer lies outside of its memory.
    AnswersNonsense,
}

impl Hostile {
    /// The component, as it lies in `.pu/plugins/`.
    pub fn component(self, name: &str) -> Vec<u8> {
        let import = match self {
            Self::ImportsWasi => {
                "(import \"wasi:clocks/monotonic-clock@0.2.0\" (instance (export \"now\" (func (result u64)))))"
            }
            _ => "",
        };
        let text = TEMPLATE.replace("{name}", name).replace("{import}", import).replace("{body}", self.body());
        wat::parse_str(&text).unwrap_or_else(|e| panic!("{self:?} is no component: {e}"))
    }

    fn body(self) -> &'static str {
        match self {
            Self::Loops => "(loop $again (br $again)) unreachable",
            // The answer of a refused growth is ignored, and it goes on until it has all there is; then it traps, as a
            // guest without memory does.
            Self::TakesMemory => {
                "(block $full (loop $more (br_if $full (i32.eq (memory.grow (i32.const 64)) (i32.const -1))) (br $more))) \
                 unreachable"
            }
            Self::Traps | Self::ImportsWasi => "unreachable",
            Self::AnswersNonsense => "i32.const 0x7fffff00",
        }
    }
}

/// The contract's types come by import; parameter and result go through memory, as the canonical ABI has it for records
/// of this size.
const TEMPLATE: &str = r#"
(component
  (@custom "purepoint:manifest" "{\"name\":\"{name}\",\"version\":\"0.1.0\",\"contract\":\"0.1.0\"}")
  (import "purepoint:context/types@0.1.0" (instance $types
    (type $attr' (record (field "key" string) (field "value" string)))
    (export "attr" (type $attr (eq $attr')))
    (type $label' (record (field "name" string) (field "confidence" f32)))
    (export "label" (type $label (eq $label')))
    (type $changed' (record (field "path" string) (field "status" string)))
    (export "changed-file" (type $changed (eq $changed')))
    (type $task' (record
      (field "id" string) (field "prompt" string) (field "tags" (list string)) (field "agent" string)
      (field "template" (option string)) (field "branch" (option string))
      (field "mentioned-files" (list string)) (field "changed-files" (list $changed))
      (field "languages" (list string)) (field "labels" (list $label)) (field "extra" (list $attr))))
    (export "task" (type (eq $task')))
    (type $pick' (record
      (field "spec" string) (field "section" (option string)) (field "score" f32) (field "reason" string)
      (field "extra" (list $attr))))
    (export "pick" (type $pick (eq $pick')))
    (type $assembly' (record
      (field "labels" (list $label)) (field "picks" (list $pick)) (field "notes" (list string))))
    (export "assembly" (type (eq $assembly')))
    (type $failure' (record (field "code" string) (field "message" string)))
    (export "failure" (type (eq $failure')))))
  {import}
  (alias export $types "task" (type $task))
  (alias export $types "assembly" (type $assembly))
  (alias export $types "failure" (type $failure))
  (core module $guest
    (memory (export "memory") 4)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and
        (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
      (global.set $next (i32.add (local.get $at) (local.get $size)))
      (local.get $at))
    (func (export "assemble") (param i32) (result i32) {body}))
  (core instance $running (instantiate $guest))
  (func (export "assemble") (param "task" $task) (result (result $assembly (error $failure)))
    (canon lift (core func $running "assemble")
      (memory (core memory $running "memory")) (realloc (core func $running "realloc")))))
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_a_component() {
        for how in
            [Hostile::Loops, Hostile::TakesMemory, Hostile::Traps, Hostile::ImportsWasi, Hostile::AnswersNonsense]
        {
            assert_eq!(&how.component("x")[..4], b"\0asm", "{how:?}");
        }
    }
}
