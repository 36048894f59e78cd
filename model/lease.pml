/*
 * One session, with time: that its node has stopped to use it when Consul may give away what it held. lock.pml takes
 * that for granted. docs/model.md says what is left out.
 */
#define TTL 4
#ifdef SHORT_DELAY
#define DELAY (TTL - 1)
#else
#define DELAY TTL
#endif

byte left = TTL;		/* the node: time to its local deadline; 0 for ever once that has passed */
mtype = { NONE, SENT, TAKEN };
mtype renewal = SENT;		/* the one under way: not yet at the server, or taken there */
byte age;			/* since it was sent */
bool alive = true;		/* the server: the session */
byte since;			/* the last renewal was taken */
byte delay;			/* until the keys of the ended session are open */

#ifdef FROM_ANSWER
#define REST TTL
#else
#define REST (TTL - age)
#endif

active proctype session() {
end:	do
	/* Time passes at both alike. What takes longer than a TTL is as old as that. */
	:: atomic { true ->
		if :: left > 0 -> left-- :: else fi;
		if :: renewal != NONE && age < TTL -> age++ :: else fi;
		if :: alive && since < TTL -> since++ :: else fi;
		if :: !alive && delay > 0 -> delay-- :: else fi }

	/* The node renews, and goes on to try when there was no answer. */
	:: atomic { renewal == NONE && left > 0 -> renewal = SENT; age = 0 }
	:: atomic { renewal == SENT && alive -> renewal = TAKEN; since = 0 }
	:: atomic { renewal == TAKEN ->
		if :: left > 0 && REST > left -> left = REST
		   :: else
		fi;
		renewal = NONE; age = 0 }
	:: atomic { renewal != NONE -> renewal = NONE; age = 0 }
	/* One that was given up arrives. */
	:: atomic { alive -> since = 0 }

	/* The session ends: destroyed, or with the node it is on; or after a TTL without renewals. */
	:: atomic { alive -> alive = false; delay = DELAY; since = 0 }
	:: atomic { alive && since == TTL ->
		assert(left == 0);	/* its TTL ends no session that is in use */
		alive = false; delay = DELAY; since = 0 }
	:: !alive && delay == 0 ->
		assert(left == 0);	/* nor is another let in while it is */
		break
	od
}
