import { LayerNormError } from '../runtime/errors.js';
import { BYTES_PER_ELEMENT, type Heap, type HeapOwner, type HeapView } from '../runtime/heap.js';
import { Disposing, type UsingDisposable } from './disposable.js';
import { type ArrayOf, asFloat16, type DType } from './dtype.js';
import { elementCount, type Shape } from './shape.js';

/**
 * Elements that lie in the memory of the WebAssembly module: operations on them copy nothing. Made by `tensor`.
 * It holds its memory until {@link Tensor.dispose}, or until the garbage collector finds it unreachable, which may be late.
 */
export interface Tensor<D extends DType = DType> extends UsingDisposable {
  /** Sizes of the dimensions, outermost first. */
  readonly shape: Shape;
  /** Type of the elements. */
  readonly dtype: D;
  /** Number of elements. */
  readonly size: number;
  /**
   * The elements, row-major: a new view of the memory at each access, to read and to write. Any later call may grow the
   * memory, which detaches all views of it (their length becomes 0), so use a view at once and do not keep it.
   * @throws {@link LayerNormError} `ERR_DISPOSED`
   */
  readonly array: ArrayOf<D>;
  /** Whether {@link Tensor.dispose} has been called. */
  readonly disposed: boolean;
  /** Gives the memory back. Further calls do nothing; any other use throws `ERR_DISPOSED`. */
  dispose(): void;
}

/** What the registry needs to free a block whose tensor is gone. */
interface Block {
  readonly heap: WeakRef<Heap>;
  readonly address: number;
}

/** Frees what was never disposed. It holds heaps weakly, so that an engine that was dropped as a whole can go as a whole. */
const registry =
  typeof FinalizationRegistry === 'undefined' || typeof WeakRef === 'undefined'
    ? undefined
    : /* @__PURE__ */ new FinalizationRegistry<Block>(({ heap, address }) => {
        const living = heap.deref();
        if (living) freeBlock(living, address);
      });

function freeBlock(heap: Heap, address: number): void {
  heap.release(address);
  heap.liveTensors--;
}

/** The one implementation of {@link Tensor}. */
export class HeapTensor<D extends DType = DType> extends Disposing implements Tensor<D> {
  readonly shape: Shape;
  readonly dtype: D;
  readonly size: number;
  /** The engine that it belongs to. */
  readonly #owner: HeapOwner;
  #address: number;

  /**
   * Takes a block of the heap, its elements not yet set.
   * @throws {@link LayerNormError} `ERR_OUT_OF_MEMORY`
   */
  constructor(operation: string, owner: HeapOwner, shape: Shape, dtype: D) {
    super();
    this.shape = Object.freeze([...shape]);
    this.dtype = dtype;
    this.size = elementCount(shape);
    this.#owner = owner;
    const heap = owner.heap(operation);
    // A tensor without elements has an address of its own as well: 0 means absent.
    this.#address = heap.allocate(operation, Math.max(this.size, 1) * BYTES_PER_ELEMENT[dtype]);
    heap.liveTensors++;
    registry?.register(this, { heap: new WeakRef(heap), address: this.#address }, this);
  }

  /** Whether a value is a tensor of this package, in whatever realm. */
  static is(value: unknown): value is HeapTensor {
    return typeof value === 'object' && value !== null && #address in value;
  }

  /** The owner whose heap a call on `value` runs in: where a tensor lies; the first one for arrays. */
  static ownerFor(owner: HeapOwner, value: unknown): HeapOwner {
    return typeof value === 'object' && value && #address in value && value.isOf(owner)
      ? value.#owner
      : owner;
  }

  /** Whether it belongs to the engine of `owner`, in whichever of its heaps. */
  isOf(owner: HeapOwner): boolean {
    return this.#owner.engine === owner.engine;
  }

  /** Whether it lies in the heap of `owner`. */
  liesIn(owner: HeapOwner | undefined): boolean {
    return this.#owner === owner;
  }

  get disposed(): boolean {
    return this.#address === 0 || this.#owner.disposed;
  }

  /** The elements as they are stored: a new view of the memory, in which those of 16 bits are bits. */
  get stored(): HeapView {
    const address = this.addressIn('tensor', 'this', this.#owner);
    return this.#owner.heap('tensor').view(this.dtype, address, this.size);
  }

  get array(): ArrayOf<D> {
    const view = this.stored;
    return ((this.dtype === 'float16' && asFloat16(view)) || view) as ArrayOf<D>;
  }

  /**
   * Where the elements lie in their heap, for a call of the engine of `owner`, or of none.
   * @throws {@link LayerNormError} `ERR_DISPOSED`; `ERR_ARGUMENT` for a tensor of another engine
   */
  addressIn(operation: string, argument: string, owner: HeapOwner | undefined): number {
    if (this.disposed) {
      throw new LayerNormError(
        'ERR_DISPOSED',
        `${operation}: ${argument} is a tensor that has been disposed`,
      );
    }
    if (owner && !this.isOf(owner)) {
      throw new LayerNormError(
        'ERR_ARGUMENT',
        `${operation}: ${argument} is a tensor of another engine; pass its array, or call that engine's own ${operation}`,
      );
    }
    return this.#address;
  }

  /** Where the elements lie in the heap of `owner`; 0 where they do not, or no longer. */
  placeIn(owner: HeapOwner): number {
    return this.#owner === owner && !owner.disposed ? this.#address : 0;
  }

  dispose(): void {
    if (!this.disposed) {
      registry?.unregister(this);
      freeBlock(this.#owner.heap('tensor'), this.#address);
    }
    this.#address = 0;
  }
}
