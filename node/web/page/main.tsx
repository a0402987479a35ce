import './base.css';
import './frame.css';
import './views.css';
import './states.css';
import { render } from 'preact';
import { App } from './app.tsx';

render(<App />, document.getElementById('app') as HTMLElement);
