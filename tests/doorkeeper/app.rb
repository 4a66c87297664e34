# frozen_string_literal: true

# A real Doorkeeper provider in one file, under Redbooth's paths: what the sandbox is held to, and what
# the recordings come from. For tests only: it logs secrets and signs a seeded person in without a password.
#
# engine.py starts it. stdout carries one line, JSON, written once the socket listens; it stops on SIGTERM.
#
#   DK_SEED                     JSON file with people, projects and tasks (the sandbox's own)
#   DK_DB, DK_LOG               SQLite file; request log, one JSON line per exchange
#   DK_ACCESS_TOKEN_EXPIRES_IN  seconds, 7200
#   DK_CODE_EXPIRES_IN          seconds, 600
#   DK_REDIRECT_URI             several: spaces between them
#   DK_CLIENT_ID, DK_CLIENT_SECRET, DK_CONFIDENTIAL   the seeded application; random, random, 1
#   DK_REVOKE_ON_USE            1: the old pair dies on first use of the new one, not at once

require "fileutils"
require "json"
require "logger"
require "securerandom"

def setting(name, default = "")
  value = ENV[name].to_s.strip
  value.empty? ? default : value
end

ENV["RAILS_ENV"] = ENV["RACK_ENV"] = "production"
ENV["DATABASE_URL"] = "sqlite3:#{File.expand_path(ENV.fetch('DK_DB'))}"

require "rails"
require "active_record/railtie"
require "action_controller/railtie"
require "action_view/railtie"
require "doorkeeper"
require "puma"
require "puma/configuration"
require "puma/events"
require "puma/launcher"

module Engine
  # Outermost middleware: one JSON line per exchange, as it was on the wire. It lets requests in one at a time:
  # SQLite has no row locks, so two refreshes at once would risk "database is locked" instead of the clean
  # invalid_grant that the lock gives on a production database.
  class RequestLog
    def initialize(app, path)
      @app = app
      @file = File.open(path, "a", 0o600)
      @file.sync = true
      @turn = Mutex.new
    end

    def call(env)
      entry = request_part(env)
      @turn.synchronize do
        status, headers, body = @app.call(env)
        chunks = []
        body.each { |chunk| chunks << chunk }
        body.close if body.respond_to?(:close)
        entry.update(status: status, response_headers: headers.to_h, response_body: text(chunks.join))
        @file.puts(JSON.generate(entry))
        [status, headers, chunks]
      end
    end

    private

    def request_part(env)
      raw = env["rack.input"]&.read || ""
      env["rack.input"]&.rewind
      { method: env["REQUEST_METHOD"], # before Rack::MethodOverride looks at _method
        path: env["PATH_INFO"], query: env["QUERY_STRING"],
        request_headers: wire_headers(env), request_body: text(raw) }
    end

    def wire_headers(env)
      env.each_with_object({}) do |(key, value), found|
        name = key[/\AHTTP_(?!VERSION\z)(.+)/, 1] || key[/\A(CONTENT_TYPE|CONTENT_LENGTH)\z/]
        found[name.tr("_", "-").downcase] = value if name && value != ""
      end
    end

    def text(bytes)
      bytes.dup.force_encoding(Encoding::UTF_8).scrub
    end
  end

  # Doorkeeper refers to people by id only, so a constant list is enough.
  module Seed
    # to_key is what makes Doorkeeper take an object for a record and ask its id
    Owner = Struct.new(:id, :profile) do
      def to_key
        [id]
      end
    end

    module_function

    def rows(kind)
      @json ||= JSON.parse(File.read(ENV.fetch("DK_SEED"), encoding: "UTF-8"))
      pattern = @json.fetch("patterns").fetch(kind)
      @json.fetch(kind).map { |row| pattern.merge(row) }.sort_by { |row| -row.fetch("id") }
    end

    def people
      @people ||= rows("people").reverse.map { |row| Owner.new(row.fetch("id"), row) }
    end

    def person(id)
      people.find { |one| one.id == id }
    end

    def application
      Doorkeeper::Application.order(:id).first || Doorkeeper::Application.create!(
        name: "Practice app",
        uid: setting("DK_CLIENT_ID", SecureRandom.hex(32)),
        secret: setting("DK_CLIENT_SECRET", SecureRandom.hex(32)),
        redirect_uri: setting("DK_REDIRECT_URI", "http://127.0.0.1:8765/callback").split.join("\n"),
        confidential: setting("DK_CONFIDENTIAL", "1") == "1"
      )
    end
  end

  class App < Rails::Application
    config.load_defaults 6.1
    config.root = __dir__
    config.secret_key_base = SecureRandom.hex(64)
    config.cache_classes = true
    config.eager_load = false
    config.consider_all_requests_local = false
    config.logger = Logger.new($stderr)
    config.log_level = :warn
    config.session_store :cookie_store, key: "_doorkeeper_session"
    config.middleware.insert_before 0, RequestLog, ENV.fetch("DK_LOG")

    initializer "engine.doorkeeper" do
      Doorkeeper.configure do
        orm :active_record
        resource_owner_authenticator do
          Seed.person(session[:user_id]) || begin
            session[:user_id] = Seed.people.first.id
            Seed.people.first
          end
        end
        admin_authenticator { true }
        default_scopes :all
        grant_flows %w[authorization_code implicit]
        use_refresh_token
        access_token_expires_in Integer(setting("DK_ACCESS_TOKEN_EXPIRES_IN", "7200"), 10)
        authorization_code_expires_in Integer(setting("DK_CODE_EXPIRES_IN", "600"), 10)
        force_ssl_in_redirect_uri false
        realm "Doorkeeper"
      end
    end
  end

  module Schema
    module_function

    def create
      ActiveRecord::Migration.verbose = false
      ActiveRecord::Schema.define { Schema.tables(self) } unless ActiveRecord::Base.connection.table_exists?(:oauth_applications)
    end

    def tables(schema)
      schema.create_table :oauth_applications do |t|
        t.string :name, null: false
        t.string :uid, null: false, index: { unique: true }
        t.string :secret, null: false
        t.text :redirect_uri, null: false
        t.string :scopes, null: false, default: ""
        t.boolean :confidential, null: false, default: true
        t.timestamps null: false
      end

      schema.create_table :oauth_access_grants do |t|
        t.bigint :resource_owner_id, null: false, index: true
        t.references :application, null: false, foreign_key: { to_table: :oauth_applications }
        t.string :token, null: false, index: { unique: true }
        t.integer :expires_in, null: false
        t.text :redirect_uri, null: false
        t.string :scopes, null: false, default: ""
        t.datetime :created_at, null: false
        t.datetime :revoked_at
        t.string :code_challenge # these two columns switch PKCE on
        t.string :code_challenge_method
      end

      schema.create_table :oauth_access_tokens do |t|
        t.bigint :resource_owner_id, index: true
        t.references :application, null: false, foreign_key: { to_table: :oauth_applications }
        t.string :token, null: false, index: { unique: true }
        t.string :refresh_token, index: { unique: true }
        t.integer :expires_in
        t.string :scopes
        t.datetime :created_at, null: false
        t.datetime :revoked_at
        # with this column the old token lives until the new one is first used
        t.string :previous_refresh_token, null: false, default: "" if setting("DK_REVOKE_ON_USE") == "1"
      end
    end
  end
end

Engine::App.routes.append do
  use_doorkeeper scope: "oauth2"

  scope "/api/3", defaults: { format: "json" } do
    get "me", to: "engine/api#me"
    get "projects", to: "engine/api#projects"
    get "tasks", to: "engine/api#tasks"
    get "tasks/:id", to: "engine/api#task"
  end

  get "/stylesheets/doorkeeper/*sheet", to: "engine/styles#none", format: false
end

Engine::App.initialize!

module Engine
  class ApiController < ActionController::API
    before_action :doorkeeper_authorize!

    FILTERS = { project_id: "project_id", task_list_id: "task_list_id", assigned_user_id: "assigned_id",
                status: "status" }.freeze

    def me
      render json: Seed.person(doorkeeper_token.resource_owner_id).profile
    end

    def projects
      render_page Seed.rows("projects")
    end

    def tasks
      rows = Seed.rows("tasks")
      FILTERS.each { |name, field| rows = rows.select { |row| row[field].to_s == params[name] } if params[name] }
      render_page rows
    end

    def task
      found = Seed.rows("tasks").find { |row| row["id"] == params[:id].to_i }
      missing = { error: { message: "Not Found", description: "No task found with the given id" } }
      found ? render(json: found) : render(json: missing, status: :not_found)
    end

    private

    # page and per_page, described in the header names of Redbooth's API
    def render_page(rows)
      per_page = (params[:per_page] || 30).to_i.clamp(1, 1000)
      page = [(params[:page] || 1).to_i, 1].max
      pages = [(rows.size / per_page.to_f).ceil, 1].max
      links = { previous: page - 1, next: page + 1, last: pages }.select { |name, n| name == :last || n.between?(1, pages) }
      headers["PaginationLinks"] = links.map { |name, n| %(<#{address(n)}>; rel="#{name}") }.join(", ")
      headers["PaginationTotalPages"] = pages.to_s
      headers["PaginationPerPage"] = per_page.to_s
      headers["PaginationCurrentPage"] = page.to_s
      headers["PaginationTotalObjects"] = rows.size.to_s
      render json: rows.slice((page - 1) * per_page, per_page) || []
    end

    def address(page)
      query = request.query_parameters.except("access_token", "bearer_token").merge("page" => page.to_s)
      "#{request.base_url}#{request.path}?#{query.sort.to_h.to_query}"
    end
  end

  # The pages' style sheets are the asset pipeline's business, which is not loaded here.
  class StylesController < ActionController::Base
    def none
      render body: "", content_type: "text/css"
    end
  end

  def self.serve(port)
    I18n.backend.store_translations(:en, doorkeeper: { scopes: { all: "Act on your behalf with all of your permissions" } })
    Schema.create
    application = Seed.application
    configuration = Puma::Configuration.new do |c|
      c.bind "tcp://127.0.0.1:#{port}"
      c.threads 1, 5
      c.environment "production"
      c.log_requests false
      c.app App
    end
    events = Puma::Events.new($stderr, $stderr)
    launcher = Puma::Launcher.new(configuration, events: events)
    events.on_booted do
      $stdout.puts JSON.generate(
        base_url: "http://127.0.0.1:#{launcher.connected_ports.first}",
        client_id: application.uid, client_secret: application.plaintext_secret,
        version: Doorkeeper::VERSION::STRING, rails: Rails.version
      )
      $stdout.flush
    end
    launcher.run
  end
end

Engine.serve(Integer(ARGV.fetch(0, "0"), 10)) if $PROGRAM_NAME == __FILE__
