/** Letters that are not to be handed out, as the disk may not have them: all of their kind from the first of these on. */
export class HeldBack {
  #from = Number.POSITIVE_INFINITY;
  /** The first of those that what is under way does not bring to the disk. */
  #newer = Number.POSITIVE_INFINITY;

  hold(id: number): void {
    this.#from = Math.min(this.#from, id);
    this.#newer = Math.min(this.#newer, id);
  }

  has(id: number): boolean {
    return id >= this.#from;
  }

  get isEmpty(): boolean {
    return this.#from === Number.POSITIVE_INFINITY;
  }

  /** What is held now is being brought to the disk. */
  syncing(): void {
    this.#newer = Number.POSITIVE_INFINITY;
  }

  /** That is there. Whether something is let go. */
  synced(): boolean {
    const isLetGo = this.#from < this.#newer;
    this.#from = this.#newer;
    return isLetGo;
  }
}
