import { Dealer, Reply, Request, Router } from "zeromq";
import type { EchoArm } from "./arm.ts";
import { answer, type Load } from "./load.ts";

async function serveRouter(endpoint: string): Promise<string> {
  const router = new Router();
  await router.bind(endpoint);
  const run = async (): Promise<void> => {
    for await (const [id, message] of router) {
      if (id && message) await router.send([id, answer(message)]);
    }
  };
  void run();
  return router.lastEndpoint ?? endpoint;
}

async function exchangeDealer(endpoint: string, load: Load): Promise<void> {
  const dealer = new Dealer({ linger: 0 });
  dealer.connect(endpoint);
  for (let request = load.next(); request; request = load.next()) {
    await dealer.send(request);
    const [reply] = await dealer.receive();
    if (reply) load.accept(reply);
  }
  dealer.close();
}

export const dealerRouter: EchoArm = {
  serve: (directory) => serveRouter(`ipc://${directory}/router`),
  exchange: exchangeDealer,
};

export const tcp: EchoArm = { serve: () => serveRouter("tcp://127.0.0.1:*"), exchange: exchangeDealer };

export const reqRep: EchoArm = {
  async serve(directory) {
    const reply = new Reply();
    const endpoint = `ipc://${directory}/rep`;
    await reply.bind(endpoint);
    const run = async (): Promise<void> => {
      for await (const [message] of reply) {
        if (message) await reply.send(answer(message));
      }
    };
    void run();
    return endpoint;
  },
  async exchange(endpoint, load) {
    // Without these a lost reply leaves the socket unusable (zmq_setsockopt(3): ZMQ_REQ_RELAXED, ZMQ_REQ_CORRELATE).
    const socket = new Request({ linger: 0, relaxed: true, correlate: true });
    socket.connect(endpoint);
    for (let request = load.next(); request; request = load.next()) {
      await socket.send(request);
      const [reply] = await socket.receive();
      if (reply) load.accept(reply);
    }
    socket.close();
  },
};
