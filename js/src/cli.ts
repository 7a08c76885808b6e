#!/usr/bin/env node
import { info } from './index.js';

process.stdout.write(`${info().version}\n`);
