// What `webpack` of webpack-cli does with this configuration.
import { resolve } from 'node:path';
import webpack from 'webpack';

const compiler = webpack({
  mode: 'production',
  entry: './src/main.js',
  output: { path: resolve('dist') },
});
compiler.run((error, stats) => {
  console.log(error ?? stats.toString());
  if (error || stats.hasErrors()) process.exitCode = 1;
  compiler.close(() => {});
});
