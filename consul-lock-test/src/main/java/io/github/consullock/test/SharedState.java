package io.github.consullock.test;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The entry that names the holders of a semaphore or of a read-write lock, and one of
 * them.
 *
 * @param key its key
 * @param member by what it names that one
 */
record SharedState(String key, String member) {

	/**
	 * The entry beside that of a holder.
	 * @param key the key of the lock
	 * @param memberKey that of the holder's own entry
	 */
	static SharedState of(String key, String memberKey) {
		String member = memberKey.substring(memberKey.lastIndexOf('/') + 1);
		boolean isSemaphore = memberKey.equals(key + "/" + member);
		return new SharedState(isSemaphore ? key + "/.lock" : key, member);
	}

	/**
	 * What it says when the holder's place is taken away.
	 */
	String without(String value) {
		ObjectNode state = (ObjectNode) JsonMapper.shared().readTree(value);
		if (state.get("Holders") instanceof ObjectNode holders) {
			holders.remove(this.member);
		}
		if (state.get("holders") instanceof ArrayNode holders) {
			holders.removeIf((holder) -> this.member.equals(holder.path("id").asString("")));
		}
		return state.toString();
	}

	/**
	 * Whether it names nobody.
	 */
	boolean isEmpty(String value) {
		JsonNode state = JsonMapper.shared().readTree(value);
		return state.path("Holders").isEmpty() && state.path("holders").isEmpty() && state.path("queue").isEmpty();
	}

}
