//! Every limit that holds a plugin in, and the one configuration of the engine that compiles and of the one that runs.

use std::time::Duration;

use wasmtime::{Config, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

/// What one call of a plugin may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostLimits {
    /// How long a call may take where the plugin's manifest asks for nothing.
    pub deadline: Duration,
    /// The longest that a manifest may ask for.
    pub deadline_max: Duration,
    /// Linear memory, in bytes; all memories of a component together.
    pub memory: usize,
    /// Elements of one table.
    pub table_elements: usize,
    /// Calls of `specs`, `log` and `config`.
    pub host_calls: u32,
    /// Bytes of specs that the host hands over, in searches and lists too.
    pub bytes_read: u64,
    /// Log lines that are kept.
    pub log_lines: usize,
    /// Bytes that a plugin may hand over in one answer or one call.
    pub output: usize,
    /// Calls that run at the same time; further ones wait.
    pub concurrent_calls: u32,
    /// How long a task waits for a plugin that is not compiled yet; the compiler then goes on without it.
    pub compile_wait: Duration,
    pub compile: CompileLimits,
}

impl Default for HostLimits {
    fn default() -> Self {
        Self {
            deadline: Duration::from_millis(50),
            deadline_max: Duration::from_millis(250),
            memory: 64 << 20,
            table_elements: 20_000,
            host_calls: 10_000,
            bytes_read: 16 << 20,
            log_lines: 100,
            output: 4 << 20,
            concurrent_calls: 8,
            compile_wait: Duration::from_secs(2),
            compile: CompileLimits::default(),
        }
    }
}

/// What compiling one plugin may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompileLimits {
    /// By the clock; the child is killed then.
    pub wall: Duration,
    /// Of all the child's threads together, in seconds.
    pub cpu_seconds: u64,
    /// Address space, in bytes. Not enforced on macOS, which ignores this limit.
    pub memory: u64,
}

impl Default for CompileLimits {
    /// A 12 MB JavaScript component takes 7 to 13 s on two loaded cores.
    fn default() -> Self {
        Self { wall: Duration::from_secs(60), cpu_seconds: 60, memory: 3 << 30 }
    }
}

/// The engine of the compiler's child process.
pub(super) fn compiling_engine() -> wasmtime::Result<Engine> {
    Engine::new(&shared_config())
}

/// The daemon's engine: loads what the child compiled, and has no compiler.
pub(super) fn running_engine(limits: &HostLimits) -> wasmtime::Result<Engine> {
    let mut config = shared_config();
    config.enable_compiler(false);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)));
    Engine::new(&config)
}

/// What both engines must agree on, or the one would not load what the other made.
fn shared_config() -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true);
    config.cranelift_opt_level(OptLevel::Speed);
    // Same task, same specs, same plugin: the same picks, on every machine.
    config.cranelift_nan_canonicalization(true);
    config.relaxed_simd_deterministic(true);
    // A trap's cause is told; where in the plugin's code it was is for its author's own tools.
    config.wasm_backtrace_max_frames(None);
    config.generate_address_map(false);
    config.memory_init_cow(true);
    config
}

/// Slots for `concurrent_calls` components. They cost address space until they are used, and no memory after.
fn pool(limits: &HostLimits) -> PoolingAllocationConfig {
    /// A Python component has up to 38 core instances, and as many tables.
    const CORE_INSTANCES: u32 = 48;
    const MEMORIES: u32 = 2;
    let calls = limits.concurrent_calls;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_core_instances(calls * CORE_INSTANCES)
        .max_core_instances_per_component(CORE_INSTANCES)
        .total_memories(calls * MEMORIES)
        .max_memories_per_component(MEMORIES)
        .total_tables(calls * CORE_INSTANCES)
        .max_tables_per_component(CORE_INSTANCES)
        .table_elements(limits.table_elements)
        .max_memory_size(limits.memory)
        .max_unused_warm_slots(2);
    pool
}
