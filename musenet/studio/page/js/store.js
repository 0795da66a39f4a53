/**
 * One state, changed in one place, watched by views.
 * @module
 */

/** A store of a state that a pure function changes.
 * @param {(state: object, name: string, value: any) => object} reduce */
export function createStore(reduce, initial) {
  let state = initial;
  let stale = false;
  const watchers = new Set();

  const tell = () => {
    stale = false;
    for (const watcher of watchers) watcher();
  };

  return {
    get state() {
      return state;
    },
    /** Changes the state; views follow together, once. */
    change(name, value) {
      state = reduce(state, name, value);
      if (!stale) {
        stale = true;
        queueMicrotask(tell);
      }
    },
    /** Calls a view now, and whenever something that it picks has changed.
     * @param {(state: object) => any[]} pick */
    watch(pick, view) {
      let last = pick(state);
      const watcher = () => {
        const next = pick(state);
        if (next.some((value, index) => value !== last[index])) {
          last = next;
          view(state);
        }
      };
      watchers.add(watcher);
      view(state);
    },
  };
}
