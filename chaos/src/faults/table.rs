use std::pin::Pin;

use anyhow::Context;

use super::{clients, cluster, data, gateways, links, publishing, redis, refusals, sentinel};
use crate::drill::Drill;

/// One kind of fault.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    /// Its number in the list.
    pub(crate) number: u8,
    /// What happens.
    pub(crate) name: &'static str,
    /// Where it can happen.
    pub(crate) ground: Ground,
    /// Whether receivers may be told of a loss.
    pub(crate) resync: Resync,
    /// Brings it about, and heals it.
    pub(crate) inject: Inject,
}

type Inject = for<'a> fn(&'a mut Drill) -> Pin<Box<dyn Future<Output = anyhow::Result<()>> + 'a>>;

/// The world that a fault needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ground {
    /// One Redis.
    Plain,
    /// A master, a replica and sentinels.
    Guarded,
    /// One Redis, and another build of the gateway.
    TwoBuilds,
    /// One Redis, and `faketime`.
    WrongClock,
    /// One Redis, in a network of our own where packets may be dropped.
    OwnNetwork,
    /// A cluster of three primaries, a replica of each.
    Cluster,
}

/// Whether telling of a loss is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resync {
    /// Nothing is lost: a resync is a failure.
    Never,
    /// Redis loses events, so whoever missed them is told. The reason why it was right.
    Right(&'static str),
}

macro_rules! table {
    ($($number:literal $name:literal $ground:ident $resync:expr => $inject:path;)*) => {
        &[$(Fault {
            number: $number,
            name: $name,
            ground: Ground::$ground,
            resync: $resync,
            inject: |drill| Box::pin($inject(drill)),
        }),*]
    };
}

use Resync::{Never, Right};

const ALL: &[Fault] = table! {
    1 "Redis killed, AOF on" Plain Never => redis::kill;
    2 "Redis killed, no persistence" Plain Right("the log is gone") => redis::kill_and_forget;
    3 "Redis paused" Plain Never => redis::pause;
    4 "pub/sub links cut" Plain Never => links::kill_pubsub;
    5 "command links cut mid-publish" Plain Never => links::kill_normal;
    6 "data wiped" Plain Right("the log is gone") => data::wipe;
    7 "log trimmed under readers" Plain Right("what followed is trimmed") => data::trim;
    8 "clean failover" Guarded Right("the replica cannot prove its tail") => sentinel::fail_over;
    10 "tail lost on promotion" Guarded Right("the tail is lost") => sentinel::lose_tail;
    12 "memory full" Plain Never => data::fill;
    12 "logs evicted" Plain Right("the log is gone") => data::evict;
    13 "output buffer overrun" Plain Never => links::overrun;
    14 "right to channels revoked" Plain Never => refusals::revoke;
    15 "scripts flushed" Plain Never => refusals::flush_scripts;
    16 "Redis loading" Plain Never => refusals::load;
    16 "Redis read-only" Plain Right("the replication id changed") => refusals::read_only;
    16 "Redis cannot persist" Plain Never => refusals::not_persist;
    16 "Redis busy" Plain Never => refusals::busy;
    18 "half-open Redis links" Plain Never => links::black_hole;
    19 "Redis stream cut and sliced" Plain Never => links::cut_and_slice;
    20 "slow client lines" Plain Never => clients::slow_lines;
    20 "client lines that lose packets" OwnNetwork Never => clients::lossy_lines;
    21 "readers that stall" Plain Never => clients::stall;
    22 "half-open clients" Plain Never => clients::half_open;
    35 "gateway killed" Plain Never => gateways::kill;
    36 "gateway drained" Plain Never => gateways::drain;
    37 "rolled to another build and back" TwoBuilds Never => gateways::roll;
    38 "gateway paused" Plain Never => gateways::pause;
    40 "herd: one gateway left" Plain Never => gateways::herd;
    41 "gateway's clock wrong" WrongClock Never => gateways::wrong_clock;
    42 "published twice at once" Plain Never => publishing::twice;
    45 "PUBLISH without a cursor" Plain Never => publishing::without_cursor;
    46 "noise on other channels" Plain Never => publishing::noise;
};

/// What a cluster suffers, in an order that each can follow the others: a shard whose replica was promoted has no proof of
/// what it is given, so that comes last.
const SHARDED: &[Fault] = table! {
    11 "slots resharded" Cluster Never => cluster::reshard;
    11 "node added, slots moved to it" Cluster Never => cluster::add_node;
    11 "shard paused 20 s" Cluster Never => cluster::pause_shard;
    11 "primary killed" Cluster Right("the replica cannot prove its tail") => cluster::kill_primary;
    11 "primary paused 20 s" Cluster Right("the replica cannot prove its tail") => cluster::pause_primary;
};

/// Every fault of a cluster.
pub(crate) fn sharded() -> &'static [Fault] {
    SHARDED
}

/// Every fault but those of a cluster.
pub(crate) fn all() -> &'static [Fault] {
    ALL
}

/// Those with these numbers.
pub(crate) fn chosen(numbers: &[u8]) -> anyhow::Result<Vec<&'static Fault>> {
    let mut faults = Vec::new();
    for number in numbers {
        let before = faults.len();
        faults.extend(ALL.iter().filter(|fault| fault.number == *number));
        anyhow::ensure!(faults.len() > before, "there is no fault {number}");
    }
    faults.first().context("no faults")?;
    Ok(faults)
}
