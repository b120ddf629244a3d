! Jensen for Fortran 2003: jensen.h by way of iso_c_binding. Compile this file with your program and link libjensen.
!
! The functions are those of jensen.h, whose comments hold here; each returns a status, jensen_ok or an error whose
! message is jensen_message(). Handles are type(c_ptr). Texts end with c_null_char: jensen_c("y ~ 1 + x") puts it there.
! Columns are given as c_loc(x) of contiguous arrays with the attribute target, which must live as long as jensen.h says.
module jensen
  use, intrinsic :: iso_c_binding
  implicit none
  private :: text_of

  integer(c_int), parameter :: jensen_abi = 1  ! jensen_abi_version() of a library that fits this file

  enum, bind(c)
    enumerator :: jensen_ok = 0, jensen_error_argument, jensen_error_input, jensen_error_file, jensen_error_device, &
                  jensen_error_callback, jensen_error_buffer, jensen_error_memory, jensen_error_internal
  end enum

  enum, bind(c)
    enumerator :: jensen_real = 0, jensen_positive, jensen_unit, jensen_increasing
  end enum

  type, bind(c) :: jensen_batch
    type(c_ptr) :: rows  ! integer(c_int32_t), from 0; c_null_ptr: first, first + 1, ...
    integer(c_int64_t) :: first, count
    real(c_double) :: scale
    type(c_ptr) :: stream
  end type

  type, bind(c) :: jensen_progress
    integer(c_int64_t) :: step, steps
    real(c_double) :: elbo, elbo_se, rows_per_second, seconds_left
  end type

  type, bind(c) :: jensen_summary
    real(c_double) :: mean, sd, q05, q50, q95
  end type

  type, bind(c) :: jensen_verdict
    integer(c_int) :: converged, close, failed
    real(c_double) :: drift, log_ratio_sd, khat, sd_ratio
    integer(c_int64_t) :: nonfinite, steps
  end type

  abstract interface
    ! Give c_funloc of a procedure with this interface. Its result: 0 to go on, else to stop.
    integer(c_int) function jensen_observer(progress, user) bind(c)
      import :: c_int, c_ptr, jensen_progress
      type(jensen_progress), intent(in) :: progress
      type(c_ptr), value :: user
    end function

    ! Of a target. Made without a gradient, it is given none, and must not use it: declare type(c_ptr), value there.
    integer(c_int) function jensen_density(theta, samples, parameters, batch, log_density, gradient, user) bind(c)
      import :: c_int, c_double, c_ptr, c_size_t, jensen_batch
      integer(c_size_t), value :: samples, parameters
      real(c_double), intent(in) :: theta(parameters, samples)
      type(jensen_batch), intent(in) :: batch
      real(c_double), intent(out) :: log_density(samples), gradient(parameters, samples)
      type(c_ptr), value :: user
    end function

    ! Of the caller's memory. On the CPU it is aligned to 64 bytes, and stream c_null_ptr. c_null_ptr: there is none.
    type(c_ptr) function jensen_allocate(bytes, stream, user) bind(c)
      import :: c_ptr, c_size_t
      integer(c_size_t), value :: bytes
      type(c_ptr), value :: stream, user
    end function
    subroutine jensen_release(memory, bytes, stream, user) bind(c)
      import :: c_ptr, c_size_t
      type(c_ptr), value :: memory
      integer(c_size_t), value :: bytes
      type(c_ptr), value :: stream, user
    end subroutine
  end interface

  interface
    integer(c_int) function jensen_abi_version() bind(c)
      import :: c_int
    end function
    subroutine jensen_set_last_error(message) bind(c)
      import :: c_char
      character(kind=c_char), intent(in) :: message(*)
    end subroutine

    integer(c_int) function jensen_table_create(source, table) bind(c)
      import :: c_int, c_char, c_ptr
      character(kind=c_char), intent(in) :: source(*)
      type(c_ptr), intent(inout) :: table
    end function
    subroutine jensen_table_free(table) bind(c)
      import :: c_ptr
      type(c_ptr), value :: table
    end subroutine
    integer(c_int) function jensen_table_add_double(table, name, values, rows) bind(c)
      import :: c_int, c_char, c_ptr, c_size_t
      type(c_ptr), value :: table
      character(kind=c_char), intent(in) :: name(*)
      type(c_ptr), value :: values
      integer(c_size_t), value :: rows
    end function
    integer(c_int) function jensen_table_add_float(table, name, values, rows) bind(c)
      import :: c_int, c_char, c_ptr, c_size_t
      type(c_ptr), value :: table
      character(kind=c_char), intent(in) :: name(*)
      type(c_ptr), value :: values
      integer(c_size_t), value :: rows
    end function
    integer(c_int) function jensen_table_add_text(table, name, codes, rows, levels, level_count) bind(c)
      import :: c_int, c_char, c_ptr, c_size_t
      type(c_ptr), value :: table
      character(kind=c_char), intent(in) :: name(*)
      type(c_ptr), value :: codes  ! integer(c_int32_t), from 0
      integer(c_size_t), value :: rows
      type(c_ptr), intent(in) :: levels(*)  ! c_loc of texts that end with c_null_char
      integer(c_size_t), value :: level_count
    end function

    integer(c_int) function jensen_options_create(options) bind(c)
      import :: c_int, c_ptr
      type(c_ptr), intent(inout) :: options
    end function
    subroutine jensen_options_free(options) bind(c)
      import :: c_ptr
      type(c_ptr), value :: options
    end subroutine
    integer(c_int) function jensen_options_set(options, name, value) bind(c)
      import :: c_int, c_char, c_ptr
      type(c_ptr), value :: options
      character(kind=c_char), intent(in) :: name(*), value(*)
    end function

    integer(c_int) function jensen_execution_create(execution) bind(c)
      import :: c_int, c_ptr
      type(c_ptr), intent(inout) :: execution
    end function
    subroutine jensen_execution_free(execution) bind(c)
      import :: c_ptr
      type(c_ptr), value :: execution
    end subroutine
    integer(c_int) function jensen_execution_set_device(execution, number) bind(c)
      import :: c_int, c_ptr
      type(c_ptr), value :: execution
      integer(c_int), value :: number
    end function
    integer(c_int) function jensen_execution_set_stream(execution, stream) bind(c)
      import :: c_int, c_ptr
      type(c_ptr), value :: execution, stream
    end function
    integer(c_int) function jensen_execution_set_memory(execution, allocate, release, user) bind(c)
      import :: c_int, c_ptr, c_funptr
      type(c_ptr), value :: execution
      type(c_funptr), value :: allocate, release  ! both c_null_funptr: the library's own memory
      type(c_ptr), value :: user
    end function

    integer(c_int) function jensen_trainer_create(formula, table, options, execution, trainer) bind(c)
      import :: c_int, c_char, c_ptr
      character(kind=c_char), intent(in) :: formula(*)
      type(c_ptr), value :: table, options, execution  ! the last two: c_null_ptr for the defaults
      type(c_ptr), intent(inout) :: trainer
    end function
    subroutine jensen_trainer_free(trainer) bind(c)
      import :: c_ptr
      type(c_ptr), value :: trainer
    end subroutine
    integer(c_int) function jensen_trainer_rows(trainer, used, dropped) bind(c)
      import :: c_int, c_int64_t, c_ptr
      type(c_ptr), value :: trainer
      integer(c_int64_t), intent(inout) :: used, dropped
    end function
    integer(c_int) function jensen_trainer_note_count(trainer, count) bind(c)
      import :: c_int, c_ptr, c_size_t
      type(c_ptr), value :: trainer
      integer(c_size_t), intent(inout) :: count
    end function
    integer(c_int) function jensen_trainer_step(trainer, count) bind(c)
      import :: c_int, c_int64_t, c_ptr
      type(c_ptr), value :: trainer
      integer(c_int64_t), value :: count
    end function
    integer(c_int) function jensen_trainer_steps(trainer, steps) bind(c)
      import :: c_int, c_int64_t, c_ptr
      type(c_ptr), value :: trainer
      integer(c_int64_t), intent(inout) :: steps
    end function
    integer(c_int) function jensen_trainer_done(trainer, done) bind(c)
      import :: c_int, c_ptr
      type(c_ptr), value :: trainer
      integer(c_int), intent(inout) :: done
    end function
    integer(c_int) function jensen_trainer_elbo(trainer, elbo, standard_error) bind(c)
      import :: c_int, c_double, c_ptr
      type(c_ptr), value :: trainer
      real(c_double), intent(inout) :: elbo, standard_error
    end function
    integer(c_int) function jensen_trainer_state(trainer, buffer, bytes) bind(c)
      import :: c_int, c_ptr, c_size_t
      type(c_ptr), value :: trainer, buffer  ! buffer: c_null_ptr to learn the size
      integer(c_size_t), intent(inout) :: bytes
    end function
    integer(c_int) function jensen_trainer_restore(trainer, state, bytes) bind(c)
      import :: c_int, c_ptr, c_size_t
      type(c_ptr), value :: trainer, state
      integer(c_size_t), value :: bytes
    end function
    integer(c_int) function jensen_trainer_fit(trainer, fit) bind(c)
      import :: c_int, c_ptr
      type(c_ptr), value :: trainer
      type(c_ptr), intent(inout) :: fit
    end function
    integer(c_int) function jensen_trainer_run(trainer, observer, user, fit) bind(c)
      import :: c_int, c_ptr, c_funptr
      type(c_ptr), value :: trainer
      type(c_funptr), value :: observer  ! c_null_funptr for none
      type(c_ptr), value :: user
      type(c_ptr), intent(inout) :: fit
    end function

    integer(c_int) function jensen_target_create(density, has_gradient, user, target) bind(c)
      import :: c_int, c_ptr, c_funptr
      type(c_funptr), value :: density
      integer(c_int), value :: has_gradient
      type(c_ptr), value :: user
      type(c_ptr), intent(inout) :: target
    end function
    subroutine jensen_target_free(target) bind(c)
      import :: c_ptr
      type(c_ptr), value :: target
    end subroutine
    integer(c_int) function jensen_target_add(target, name, support, start, scale) bind(c)
      import :: c_int, c_char, c_double, c_ptr
      type(c_ptr), value :: target
      character(kind=c_char), intent(in) :: name(*)
      integer(c_int), value :: support
      real(c_double), value :: start, scale
    end function
    integer(c_int) function jensen_target_set_rows(target, rows) bind(c)
      import :: c_int, c_int64_t, c_ptr
      type(c_ptr), value :: target
      integer(c_int64_t), value :: rows
    end function
    integer(c_int) function jensen_target_set_device(target, device) bind(c)
      import :: c_int, c_char, c_ptr
      type(c_ptr), value :: target
      character(kind=c_char), intent(in) :: device(*)
    end function
    integer(c_int) function jensen_trainer_create_target(target, options, execution, trainer) bind(c)
      import :: c_int, c_ptr
      type(c_ptr), value :: target, options, execution
      type(c_ptr), intent(inout) :: trainer
    end function

    ! Blocks, terms, arguments and elements are counted from 0.
    integer(c_int) function jensen_model_create(model) bind(c)
      import :: c_int, c_ptr
      type(c_ptr), intent(inout) :: model
    end function
    subroutine jensen_model_free(model) bind(c)
      import :: c_ptr
      type(c_ptr), value :: model
    end subroutine
    integer(c_int) function jensen_model_block(model, name, size, support, prior, block) bind(c)
      import :: c_int, c_char, c_ptr, c_size_t
      type(c_ptr), value :: model
      character(kind=c_char), intent(in) :: name(*), prior(*)  ! prior: jensen_c("") for none
      integer(c_size_t), value :: size
      integer(c_int), value :: support
      integer(c_size_t), intent(inout) :: block
    end function
    integer(c_int) function jensen_model_term(model, family, link, rows, y, trials, weights, is_data, term) bind(c)
      import :: c_int, c_char, c_ptr, c_size_t
      type(c_ptr), value :: model
      character(kind=c_char), intent(in) :: family(*), link(*)
      integer(c_size_t), value :: rows
      type(c_ptr), value :: y, trials, weights  ! real(c_float); the last two: c_null_ptr for none
      integer(c_int), value :: is_data
      integer(c_size_t), intent(inout) :: term
    end function
    integer(c_int) function jensen_model_dense(model, term, argument, block, x, on_gpu) bind(c)
      import :: c_int, c_ptr, c_size_t
      type(c_ptr), value :: model
      integer(c_size_t), value :: term, argument, block
      type(c_ptr), value :: x  ! real(c_float) :: x(size of the block, rows)
      integer(c_int), value :: on_gpu
    end function
    integer(c_int) function jensen_model_scalar(model, term, argument, block, element, scale) bind(c)
      import :: c_int, c_double, c_ptr, c_size_t
      type(c_ptr), value :: model
      integer(c_size_t), value :: term, argument, block, element
      real(c_double), value :: scale
    end function
    integer(c_int) function jensen_model_offset(model, term, argument, offset) bind(c)
      import :: c_int, c_ptr, c_size_t
      type(c_ptr), value :: model
      integer(c_size_t), value :: term, argument
      type(c_ptr), value :: offset  ! real(c_float) :: offset(rows)
    end function
    integer(c_int) function jensen_model_constant(model, term, argument, constant) bind(c)
      import :: c_int, c_double, c_ptr, c_size_t
      type(c_ptr), value :: model
      integer(c_size_t), value :: term, argument
      real(c_double), value :: constant
    end function
    integer(c_int) function jensen_model_rows_in_random_order(model) bind(c)
      import :: c_int, c_ptr
      type(c_ptr), value :: model
    end function
    integer(c_int) function jensen_model_thresholds(model, term, block) bind(c)
      import :: c_int, c_ptr, c_size_t
      type(c_ptr), value :: model
      integer(c_size_t), value :: term, block
    end function
    integer(c_int) function jensen_trainer_create_model(model, options, execution, trainer) bind(c)
      import :: c_int, c_ptr
      type(c_ptr), value :: model, options, execution
      type(c_ptr), intent(inout) :: trainer
    end function

    subroutine jensen_fit_free(fit) bind(c)
      import :: c_ptr
      type(c_ptr), value :: fit
    end subroutine
    integer(c_int) function jensen_fit_parameter_count(fit, count) bind(c)
      import :: c_int, c_ptr, c_size_t
      type(c_ptr), value :: fit
      integer(c_size_t), intent(inout) :: count
    end function
    integer(c_int) function jensen_fit_parameter_index(fit, name, index) bind(c)  ! from 0
      import :: c_int, c_char, c_ptr, c_size_t
      type(c_ptr), value :: fit
      character(kind=c_char), intent(in) :: name(*)
      integer(c_size_t), intent(inout) :: index
    end function
    integer(c_int) function jensen_fit_summary(fit, summaries, count) bind(c)
      import :: c_int, c_ptr, c_size_t, jensen_summary
      type(c_ptr), value :: fit
      type(jensen_summary), intent(inout) :: summaries(*)
      integer(c_size_t), intent(inout) :: count
    end function
    integer(c_int) function jensen_fit_draws(fit, count, seed, buffer, numbers) bind(c)
      import :: c_int, c_int64_t, c_double, c_ptr, c_size_t
      type(c_ptr), value :: fit
      integer(c_size_t), value :: count
      integer(c_int64_t), value :: seed
      real(c_double), intent(inout) :: buffer(*)  ! parameters x count
      integer(c_size_t), intent(inout) :: numbers
    end function
    integer(c_int) function jensen_fit_elbo(fit, elbo, standard_error) bind(c)
      import :: c_int, c_double, c_ptr
      type(c_ptr), value :: fit
      real(c_double), intent(inout) :: elbo, standard_error
    end function
    integer(c_int) function jensen_fit_verdict(fit, verdict) bind(c)
      import :: c_int, c_ptr, jensen_verdict
      type(c_ptr), value :: fit
      type(jensen_verdict), intent(inout) :: verdict
    end function
    integer(c_int) function jensen_fit_note_count(fit, count) bind(c)
      import :: c_int, c_ptr, c_size_t
      type(c_ptr), value :: fit
      integer(c_size_t), intent(inout) :: count
    end function
  end interface

contains

  ! The text with the zero byte that C wants.
  pure function jensen_c(text) result(out)
    character(len=*), intent(in) :: text
    character(kind=c_char, len=len(text) + 1) :: out
    out = text//c_null_char
  end function

  ! What was wrong at this thread's latest call that failed.
  function jensen_message() result(out)
    character(len=:), allocatable :: out
    interface
      type(c_ptr) function jensen_last_error() bind(c)
        import :: c_ptr
      end function
    end interface
    out = text_of(jensen_last_error())
  end function

  ! The name of parameter `index`, from 1; "" if there is none.
  function jensen_parameter_name(fit, index) result(out)
    type(c_ptr), intent(in) :: fit
    integer, intent(in) :: index
    character(len=:), allocatable :: out
    interface
      type(c_ptr) function jensen_fit_parameter_name(fit, index) bind(c)
        import :: c_ptr, c_size_t
        type(c_ptr), value :: fit
        integer(c_size_t), value :: index
      end function
    end interface
    out = text_of(jensen_fit_parameter_name(fit, int(index - 1, c_size_t)))
  end function

  ! The verdict on the fit, one sentence.
  function jensen_verdict_message(fit) result(out)
    type(c_ptr), intent(in) :: fit
    character(len=:), allocatable :: out
    interface
      type(c_ptr) function jensen_fit_message(fit) bind(c)
        import :: c_ptr
        type(c_ptr), value :: fit
      end function
    end interface
    out = text_of(jensen_fit_message(fit))
  end function

  ! The parameter that the verdict's sd_ratio is of; "" if that is 1.
  function jensen_narrowest(fit) result(out)
    type(c_ptr), intent(in) :: fit
    character(len=:), allocatable :: out
    interface
      type(c_ptr) function jensen_fit_narrowest(fit) bind(c)
        import :: c_ptr
        type(c_ptr), value :: fit
      end function
    end interface
    out = text_of(jensen_fit_narrowest(fit))
  end function

  ! Note `index` of a fit, from 1; "" if there is none. jensen_run_note: of a trainer.
  function jensen_note(fit, index) result(out)
    type(c_ptr), intent(in) :: fit
    integer, intent(in) :: index
    character(len=:), allocatable :: out
    interface
      type(c_ptr) function jensen_fit_note(fit, index) bind(c)
        import :: c_ptr, c_size_t
        type(c_ptr), value :: fit
        integer(c_size_t), value :: index
      end function
    end interface
    out = text_of(jensen_fit_note(fit, int(index - 1, c_size_t)))
  end function

  function jensen_run_note(trainer, index) result(out)
    type(c_ptr), intent(in) :: trainer
    integer, intent(in) :: index
    character(len=:), allocatable :: out
    interface
      type(c_ptr) function jensen_trainer_note(trainer, index) bind(c)
        import :: c_ptr, c_size_t
        type(c_ptr), value :: trainer
        integer(c_size_t), value :: index
      end function
    end interface
    out = text_of(jensen_trainer_note(trainer, int(index - 1, c_size_t)))
  end function

  ! "cpu, 2 threads" or the GPU's name.
  function jensen_device(trainer) result(out)
    type(c_ptr), intent(in) :: trainer
    character(len=:), allocatable :: out
    interface
      type(c_ptr) function jensen_trainer_device(trainer) bind(c)
        import :: c_ptr
        type(c_ptr), value :: trainer
      end function
    end interface
    out = text_of(jensen_trainer_device(trainer))
  end function

  function text_of(address) result(out)
    type(c_ptr), intent(in) :: address
    character(len=:), allocatable :: out
    character(kind=c_char), pointer :: bytes(:)
    integer :: length
    interface
      integer(c_size_t) function strlen(text) bind(c)
        import :: c_ptr, c_size_t
        type(c_ptr), value :: text
      end function
    end interface
    length = 0
    if (c_associated(address)) length = int(strlen(address))
    allocate (character(len=length) :: out)
    if (length == 0) return
    call c_f_pointer(address, bytes, [length])
    out = transfer(bytes, out)
  end function

end module
