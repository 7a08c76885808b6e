// dist/layernorm-mt-worker.mjs: the glue of the threads of browsers. Workers run it, and so does the thread that starts them.
export { default } from '#core-glue';
