from .client.authorize import AuthorizationRequest as AuthorizationRequest, adopt as adopt
from .client.exchange import exchange as exchange
from .client.refresh import RedboothSession as RedboothSession, refresh as refresh, revoke as revoke
from .client.register import Settings as Settings, save_credentials as save_credentials
from .client.response import AuthorizationResponse as AuthorizationResponse
from .client.token import Token as Token, TokenStore as TokenStore
from .client.wire import connect as connect
from .errors import RedboothError as RedboothError
from .lessons.course import check as check, progress as progress
from .lessons.explain import explain as explain, show_errors as show_errors, summarize as summarize
from .lessons.practice import (
    allow as allow,
    catch_up as catch_up,
    let_time_pass as let_time_pass,
    pretend as pretend,
    ready as ready,
)
from .lessons.predict import predict as predict
from .lessons.take_home import TakeHomeApp as TakeHomeApp, solution as solution
from .lessons.try_out import ticket as ticket, try_out as try_out
from .provider.addresses import API_URL as API_URL, AUTHORIZE_URL as AUTHORIZE_URL, TOKEN_URL as TOKEN_URL
from .traffic.transcript import transcript as transcript
from .widgets.authorize import SignInPanel as SignInPanel
from .widgets.browser import Browser as Browser
from .widgets.exchange import ExchangeForm as ExchangeForm
from .widgets.flow_map import FlowMap as FlowMap
from .widgets.http import HttpView as HttpView
from .widgets.playground import Playground as Playground
from .widgets.refresh import TokenCard as TokenCard
from .widgets.register import RegisterForm as RegisterForm
from .widgets.time_machine import TimeMachine as TimeMachine
from .widgets.url import UrlView as UrlView
