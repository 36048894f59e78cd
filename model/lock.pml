/*
 * How the nodes of consul-lock share one lock, without time: what may take long may happen at any moment.
 * docs/model.md says what is left out and how to run it. It takes these from the command line:
 *
 *   WITHOUT  the rule that is taken away, or NO_RULE
 *   FAULTS   how many nodes may crash or fail to renew, and sessions may be ended by others
 *   LOSSES   how many requests may be given up without an answer
 *   KEPT     whether a release leaves the lock's entry where it is
 *   LIVE     defined for the liveness property: the last node wants the lock for ever, and waits are given up as rarely
 *            as requests
 */
#define N 3
#define NONE N
mtype:Rule = { NO_RULE, LONG_DELAY, DEADLINE, BOUND_ACQUIRE, BOUND_RELEASE, BOUND_WITHDRAWAL, QUEUE_FIRST, FENCE,
	SETTLEMENT, SINGLE_COPY, SESSION_CHECK };

/* Consul. An index is only ever compared with a known one, so it is enough to say who still knows the present one. */
bool alive[N];			/* the session of each node */
byte holder = NONE;		/* the lock's entry: whose session holds it, */
bool present;			/* and whether it is there */
byte closed = NONE;		/* by lock-delay, since the session of this node ended */
byte line[N] = NONE;		/* the contender entries, in the order in which they came */

/* The nodes. */
mtype:State = { IDLE, RESTING, TRYING, LOOKING, ENTERING, UNSETTLED, HOLDING, RELEASING, GIVING, LEAVING, CHECKING,
	WITHDRAWING, OVER };
mtype:State state[N] = OVER;
bool past[N] = true;		/* the deadline of its session has passed, or it was told that the session has ended */
mtype:Index = { ABSENT, CURRENT, STALE, ANY };
mtype:Index known[N] = STALE;	/* which index of the lock's entry it knows */
byte heir[N] = NONE;		/* whom it is about to hand the lock to */
bool saw[N];			/* what the first of two reads showed */

/* Of each node the one request that it gave up and that may still arrive. One that can only be refused is dropped. */
mtype:Request = { NOTHING, ACQUIRE, ADMITTED, ENTER, RELEASE, WITHDRAW };
mtype:Request late[N] = NOTHING;
mtype:Index bound[N] = STALE;	/* the index that it checks */
byte to[N] = NONE;		/* the heir in it */

byte faults = FAULTS, losses = LOSSES;
byte first;			/* 0 but within a step */

#define WAITS(i) (line[0] == i || line[1] == i || line[2] == i)
#define HEAD_ENDED (line[0] != NONE && !alive[line[0]])
#define MATCHES(index) (index == CURRENT || index == ANY || (index == ABSENT && !present))
#define MAY_LOCK(i) (alive[i] || WITHOUT == SESSION_CHECK)	/* Consul's own rule */
#define INDEX(i, rule) (WITHOUT == rule -> ANY : known[i])

#ifdef LIVE
#define MAY_STOP(i) (i != N - 1)
#define MAY_GIVE_UP(i) (i != N - 1 && losses > 0)
#define GIVES_UP losses--
#else
#define MAY_STOP(i) true
#define MAY_GIVE_UP(i) true
#define GIVES_UP skip
#endif

inline drop(i) { late[i] = NOTHING; bound[i] = STALE; to[i] = NONE }

/* The lock's entry changes: whoever knows its index does not any more. */
inline forget(i) {
	if :: known[i] == CURRENT -> known[i] = STALE :: else fi;
	if :: bound[i] == CURRENT -> drop(i) :: else fi
}
inline write(h, there) { d_step { holder = h; present = there; forget(0); forget(1); forget(2) } }

/* A contender entry goes, and with it the use of what was bound to it. */
inline disinherit(n, h) { if :: late[n] == RELEASE && to[n] == h -> drop(n) :: else fi }
inline remove(i) {
	d_step {
		if :: line[0] == i -> line[0] = line[1]; line[1] = line[2]; line[2] = NONE
		   :: line[1] == i -> line[1] = line[2]; line[2] = NONE
		   :: line[2] == i -> line[2] = NONE
		   :: else
		fi;
		disinherit(0, i); disinherit(1, i); disinherit(2, i);
		if :: late[i] == WITHDRAW && WITHOUT != BOUND_WITHDRAWAL -> drop(i) :: else fi
	}
}

inline enter(i) {
	if :: !alive[i] || WAITS(i)
	   :: else ->
		if :: line[0] == NONE -> line[0] = i
		   :: line[0] != NONE && line[1] == NONE -> line[1] = i
		   :: else -> line[2] = i
		fi
	fi
}

#define CAN_ACQUIRE(i, index) (MAY_LOCK(i) && holder == NONE && MATCHES(index))
inline acquire(i) { write(i, true); remove(i) }

#define CAN_RELEASE(i, index, h) (holder == i && MATCHES(index) && (h == NONE || (WAITS(h) && MAY_LOCK(h))))
inline release(h) {
	if :: h == NONE -> write(NONE, KEPT)
	   :: else -> first = h; write(first, true); remove(first); first = 0
	fi
}

/* As delete-cas, without that rule: it succeeds where there is nothing. */
#define CAN_WITHDRAW(i) (WAITS(i) || WITHOUT == BOUND_WITHDRAWAL)

/* From here on whoever asks this node is told that it holds the lock. */
inline hold(i) {
	known[i] = CURRENT;
	state[i] = HOLDING;
	assert(state[(i + 1) % N] != HOLDING && state[(i + 2) % N] != HOLDING)	/* never two within the promise */
}

#define CAN_LOSE(i) (losses > 0 && late[i] == NOTHING)
inline lose(i, request, index, h) {
	losses--;
	if :: index != STALE -> late[i] = request; bound[i] = index; to[i] = h
	   :: else
	fi
}

/* What its node does not wait for any more arrives, or does not. */
inline arrive(i) {
	if :: late[i] == ACQUIRE && closed == NONE -> late[i] = ADMITTED	/* lock-delay is looked at before the write */
	   :: late[i] == ADMITTED && CAN_ACQUIRE(i, bound[i]) -> drop(i); acquire(i)
	   :: late[i] == ENTER -> enter(i); drop(i)
	   :: late[i] == RELEASE && CAN_RELEASE(i, bound[i], to[i]) -> release(to[i]); drop(i)
	   :: late[i] == WITHDRAW -> remove(i); drop(i)
	   :: drop(i)
	fi
}

/* The node can use its session no more: its deadline, or it is told. A crash is no other. */
inline lapse(i) {
	past[i] = true;
	if :: state[i] == LOOKING && WITHOUT == DEADLINE
	   :: else -> state[i] = OVER
	fi;
	known[i] = STALE; heir[i] = NONE; saw[i] = false
}

inline end_session(i) {
	alive[i] = false;
	if :: holder == i -> closed = i; write(NONE, true) :: else fi
}

proctype node(byte i) {
end:	do
	/* Takes a new session once the old one has ended, of which nothing is of use any more; or never comes back. */
	:: atomic { state[i] == OVER && !alive[i] && closed != i ->
		drop(i); remove(i); alive[i] = true; past[i] = false; state[i] = IDLE }
	:: atomic { state[i] == OVER && MAY_STOP(i) -> state[i] = RESTING }

	/* The first request goes without a look. */
	:: atomic { state[i] == IDLE -> known[i] = ABSENT; state[i] = TRYING }
	:: atomic { state[i] == IDLE && MAY_STOP(i) -> state[i] = RESTING }

	/* Checks the index of the fence, and that of the lock or that there is none; and locks. */
	:: atomic { state[i] == TRYING ->
		if :: CAN_ACQUIRE(i, INDEX(i, BOUND_ACQUIRE)) && closed == NONE ->
			if :: WITHOUT == SINGLE_COPY && CAN_LOSE(i) -> lose(i, ACQUIRE, known[i], NONE)
			   :: true
			fi;
			acquire(i);
			hold(i)
		   :: else -> known[i] = STALE; state[i] = LOOKING
		fi }
	:: atomic { state[i] == TRYING && CAN_LOSE(i) ->
		lose(i, ACQUIRE, INDEX(i, BOUND_ACQUIRE), NONE); known[i] = STALE; state[i] = UNSETTLED }

	/* Looks, or is told by a watch; what it saw may be old by the next step. */
	:: atomic { state[i] == LOOKING && holder == i -> hold(i) }
	:: atomic { state[i] == LOOKING && holder == NONE ->
		known[i] = (present -> CURRENT : ABSENT); state[i] = TRYING }
	:: atomic { state[i] == LOOKING && holder != i && holder != NONE && !WAITS(i) -> state[i] = ENTERING }
	:: atomic { state[i] == LOOKING && WAITS(i) && HEAD_ENDED -> first = line[0]; remove(first); first = 0 }
	:: atomic { state[i] == LOOKING && MAY_GIVE_UP(i) -> GIVES_UP; state[i] = LEAVING }

	/* Checks the index of the fence, and that it has no contender entry; and locks one. */
	:: atomic { state[i] == ENTERING -> enter(i); state[i] = LOOKING }
	:: atomic { state[i] == ENTERING && CAN_LOSE(i) -> lose(i, ENTER, ANY, NONE); state[i] = UNSETTLED }

	/* Moves the fence: what was sent before is refused from then on. */
	:: atomic { state[i] == UNSETTLED && alive[i] ->
		if :: WITHOUT != FENCE -> drop(i) :: else fi;
		state[i] = LOOKING }
	:: atomic { state[i] == UNSETTLED && WITHOUT == SETTLEMENT && MAY_STOP(i) -> state[i] = IDLE }

	:: atomic { state[i] == HOLDING -> state[i] = RELEASING }

	/* Reads, and may choose the first that waits and whose session has not ended. */
	:: atomic { state[i] == RELEASING ->
		do :: HEAD_ENDED -> first = line[0]; remove(first)
		   :: else -> break
		od;
		first = 0;
		if :: holder != i -> known[i] = STALE; state[i] = IDLE
		   :: holder == i -> known[i] = CURRENT; state[i] = GIVING
		   :: holder == i && line[0] != NONE -> known[i] = CURRENT; heir[i] = line[0]; state[i] = GIVING
		fi }
	/* Checks the lock's index and deletes the entry; or checks the heir's too, deletes that, unlocks, locks for it. */
	:: atomic { state[i] == GIVING ->
		if :: CAN_RELEASE(i, INDEX(i, BOUND_RELEASE), heir[i]) -> release(heir[i]); state[i] = IDLE
		   :: else -> state[i] = RELEASING
		fi;
		known[i] = STALE; heir[i] = NONE }
	:: atomic { state[i] == GIVING && CAN_LOSE(i) ->
		lose(i, RELEASE, INDEX(i, BOUND_RELEASE), heir[i]); known[i] = STALE; heir[i] = NONE; state[i] = LEAVING }

	/* Nothing of it is to stay. It reads the queue before the lock: what has left the one may be in the other. */
	:: atomic { state[i] == LEAVING ->
		saw[i] = (WITHOUT == QUEUE_FIRST -> holder == i : WAITS(i)); state[i] = CHECKING }
	:: atomic { state[i] == CHECKING ->
		if :: (WITHOUT == QUEUE_FIRST -> saw[i] : holder == i) -> state[i] = RELEASING
		   :: else ->
			if :: (WITHOUT == QUEUE_FIRST -> WAITS(i) : saw[i]) -> state[i] = WITHDRAWING
			   :: else -> state[i] = IDLE
			fi
		fi;
		saw[i] = false }
	/* Checks the index of its contender entry, and deletes it. */
	:: atomic { state[i] == WITHDRAWING ->
		if :: CAN_WITHDRAW(i) -> remove(i); state[i] = IDLE
		   :: else -> state[i] = LEAVING
		fi }
	:: atomic { state[i] == WITHDRAWING && CAN_LOSE(i) ->
		lose(i, WITHDRAW, (CAN_WITHDRAW(i) -> ANY : STALE), NONE); state[i] = LEAVING }

	/* What may happen, and need not. */
	:: atomic { late[i] != NOTHING -> arrive(i) }
	:: atomic { faults > 0 && !past[i] -> faults--; lapse(i) }
	:: atomic { faults > 0 && alive[i] -> faults--; end_session(i) }
	:: atomic { faults > 0 -> faults = 0 }
	od
}

/* What happens in time, whatever else does: a session ends by its TTL or is destroyed, and the node is told of it. */
#define IN_TIME(i) \
	:: atomic { alive[i] && past[i] -> end_session(i) } \
	:: atomic { !alive[i] && !past[i] -> lapse(i) }

proctype time() {
end:	do
	IN_TIME(0)
	IN_TIME(1)
	IN_TIME(2)
	/* Lock-delay is over: lease.pml shows that the deadline of who held the lock has passed then. */
	:: atomic { closed != NONE && (past[closed] || WITHOUT == LONG_DELAY) -> closed = NONE }
	od
}

init { atomic { run node(0); run node(1); run node(2); run time() } }

#ifdef LIVE
ltl taken { []<> (state[0] == HOLDING || state[1] == HOLDING || state[2] == HOLDING) }	/* a free lock is taken */
#endif
