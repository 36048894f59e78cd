package io.github.consullock.lock;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;

import com.fasterxml.jackson.annotation.JsonIgnore;
import io.github.consullock.consul.KvEntry;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * What the entry of a read-write lock says.
 *
 * @param holders those who hold it
 * @param queue those who wait for it, first come first served
 */
record ReadWriteState(List<Member> holders, List<Member> queue) {

	static final ReadWriteState EMPTY = new ReadWriteState(List.of(), List.of());

	ReadWriteState {
		holders = List.copyOf(holders);
		queue = List.copyOf(queue);
	}

	/**
	 * What somebody wants of the lock, or does with it.
	 */
	enum Mode {

		READ, WRITE

	}

	/**
	 * Somebody who holds the lock, or waits for it.
	 *
	 * @param id the last part of the key of its own entry
	 * @param mode what for
	 */
	record Member(String id, Mode mode) {

		/** What was written by others may lack anything. */
		Member {
			Objects.requireNonNull(id, "id");
			Objects.requireNonNull(mode, "mode");
		}

		boolean excludes(Member other) {
			return this.mode == Mode.WRITE || other.mode == Mode.WRITE;
		}

	}

	/**
	 * What an entry says.
	 * @param entry the entry, or {@code null} if there is none
	 * @return its state, or {@code null} if it is none of a read-write lock
	 */
	static @Nullable ReadWriteState of(@Nullable KvEntry entry) {
		if (entry == null) {
			return EMPTY;
		}
		if (entry.flags() != LockFlags.READ_WRITE) {
			return null;
		}
		try {
			return JsonMapper.shared().readValue(entry.value(), ReadWriteState.class);
		}
		catch (JacksonException ex) {
			return null;
		}
	}

	String json() {
		return JsonMapper.shared().writeValueAsString(this);
	}

	@JsonIgnore
	boolean isEmpty() {
		return this.holders.isEmpty() && this.queue.isEmpty();
	}

	boolean isHolder(String id) {
		return contains(this.holders, id);
	}

	boolean isQueued(String id) {
		return contains(this.queue, id);
	}

	boolean contains(String id) {
		return isHolder(id) || isQueued(id);
	}

	private static boolean contains(List<Member> members, String id) {
		return members.stream().anyMatch((member) -> member.id().equals(id));
	}

	List<Member> all() {
		List<Member> all = new ArrayList<>(this.holders);
		all.addAll(this.queue);
		return all;
	}

	/** Whom somebody has to wait for, now or when it queues up; holders first. */
	List<Member> inTheWayOf(Member member) {
		Predicate<Member> isOther = (other) -> !other.id().equals(member.id());
		List<Member> others = new ArrayList<>(this.holders.stream().filter(isOther).toList());
		others.addAll(this.queue.stream().takeWhile(isOther).toList());
		others.removeIf((other) -> !other.excludes(member));
		return others;
	}

	ReadWriteState without(Collection<String> ids) {
		return new ReadWriteState(without(this.holders, ids), without(this.queue, ids));
	}

	private static List<Member> without(List<Member> members, Collection<String> ids) {
		return members.stream().filter((member) -> !ids.contains(member.id())).toList();
	}

	ReadWriteState withHolder(Member member) {
		return new ReadWriteState(and(this.holders, member), this.queue);
	}

	ReadWriteState withQueued(Member member) {
		return new ReadWriteState(this.holders, and(this.queue, member));
	}

	private static List<Member> and(List<Member> members, Member member) {
		List<Member> all = new ArrayList<>(members);
		all.add(member);
		return all;
	}

}
