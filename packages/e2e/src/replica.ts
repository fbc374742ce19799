/** A process of an example server that is started again whenever it was killed, as a supervisor would. */
import { freePort } from "@sallyport/test-servers";
import { ServedExample } from "./served-example.ts";

/** One of the processes that serve an issuer; always at the same port. */
export class Replica {
  readonly origin: string;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #program: string | undefined;
  #served: ServedExample | undefined;

  /**
   * @param environment its configuration, without `PORT`; without `BASE_URL` it is itself the issuer
   * @param program default: that of the script `serve`
   */
  constructor(port: number, environment: Readonly<Record<string, string>>, program?: string) {
    this.origin = `http://127.0.0.1:${port}`;
    this.#environment = { BASE_URL: this.origin, ...environment, PORT: String(port) };
    this.#program = program;
  }

  /** So many processes of one issuer, which is the address of the first. They are not started yet. */
  static async several(count: number, environment: Readonly<Record<string, string>>): Promise<readonly Replica[]> {
    const ports = await Promise.all(Array.from({ length: count }, freePort));
    return ports.map((port) => new Replica(port, { BASE_URL: `http://127.0.0.1:${ports[0]}`, ...environment }));
  }

  /** The process that runs now. */
  get served(): ServedExample {
    if (this.#served === undefined) throw new Error("The server was not started.");
    return this.#served;
  }

  async start(): Promise<void> {
    this.#served = await ServedExample.start(this.#environment, this.#program);
  }

  /** `kill -9`, where it runs. */
  async kill(): Promise<void> {
    await this.#served?.kill();
  }

  async killAndStart(): Promise<void> {
    await this.kill();
    await this.start();
  }
}
